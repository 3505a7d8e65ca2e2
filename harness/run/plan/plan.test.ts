import { describe, expect, it } from 'vitest';
import { UsageError } from '../../core/errors.ts';
import type { Fault, SuiteDefinition } from '../suite/definition.ts';
import { parseOptions } from './options.ts';
import { describePlan, planRun, withStandIns, type CataloguedSuite, type RunPlan } from './plan.ts';
import type { Requirement } from '../suite/requirements.ts';

const fault = (name: string, ...requirements: string[]): Fault => ({
  name,
  description: '',
  requirements,
  reason: /./,
});
const row = (id: string): Requirement => ({ id, source: 's', requirement: 'r', check: 'c', kind: ['L'] });

function suite(name: string, ids: string[], faults: Fault[], shared: string[] = []): CataloguedSuite {
  const definition: SuiteDefinition = {
    name,
    title: name,
    directory: `suites/${name}`,
    files: [],
    topology: { groups: [] },
    subject: {
      chart: `charts/${name}`,
      values: [`values/${name}.yaml`],
      releaseName: name,
      images: [
        {
          name: `${name}-app`,
          recipe: { ref: `local/${name}:1` } as SuiteDefinition['subject']['images'][number]['recipe'],
          override: (ref) => [`image=${ref}`],
        },
      ],
    },
    valuesVariants: {},
    faults,
    shared,
  };
  return { definition, requirements: ids.map(row) };
}

const five = ['a', 'b', 'c', 'd', 'e'].map((name) => fault(name, 'T-01'));
const catalogue = [
  suite('toolman', ['T-01', 'T-02', 'T-03'], [...five, fault('f', 'T-02')], ['X-01']),
  suite('agent', ['K-01'], [fault('other', 'K-01')]),
];
const unchecked = [
  { name: 'tool-registry', requirements: [row('R-01')] },
  { name: 'all', requirements: [row('X-09')] },
];

function plan(line: string, rotation = 0, of = catalogue): RunPlan {
  const options = parseOptions(
    line.split(' ').filter((w) => w !== ''),
    () => {},
  );
  return planRun(options!, of, 'id', rotation, unchecked);
}
const names = (p: RunPlan) => p.suites.map((s) => s.definition.name);

describe('choosing suites', () => {
  it.each([
    ['--all', ['toolman', 'agent']],
    ['--suite agent', ['agent']],
    ['--suite agent toolman', ['toolman', 'agent']],
    ['--requirement K-01', ['agent']],
    ['--requirement T-01 K-01', ['toolman', 'agent']],
    ['--requirement X-01', ['toolman']],
    ['--all --requirement K-01', ['agent']],
    ['--prove --fault other', ['agent']],
  ])('%s: %s', (line, expected) => {
    expect(names(plan(line))).toEqual(expected);
  });

  it.each([
    ['--chart ./mine', 'any'],
    ['--chart ./mine --values a.yaml --set b=c', 'any'],
    ['--chart ./mine --requirement X-13', 'any'],
    ['--chart ./mine --requirement X-01', 'any'],
    ['--chart ./mine --requirement T-01', 'toolman'],
    ['--chart ./mine --suite toolman', 'toolman'],
    ['--chart ./mine --prove', 'any'],
    ['--chart ./mine --prove --fault scaled', 'any'],
    ['--chart ./mine --prove --fault other', 'agent'],
  ])('judges a chart without a suite by the suite for any chart: %s', (line, expected) => {
    const any = suite('any', [], [fault('scaled', 'X-13')], ['X-01', 'X-13']);
    const withAny = [...catalogue, { ...any, definition: { ...any.definition, anyChart: true } }];
    expect(names(plan(line, 0, withAny))).toEqual([expected]);
  });

  it('gives each suite only its own requirements', () => {
    const { suites } = plan('--requirement T-02 K-01 X-01');
    expect(suites.map((s) => s.select)).toEqual([['T-02', 'X-01'], ['K-01']]);
    expect(plan('--all').suites.map((s) => s.select)).toEqual([undefined, undefined]);
  });

  it.each([
    ['', 'E_OPTION', 'no suite was chosen', 'toolman, agent'],
    ['--suite tolman', 'E_UNKNOWN_SUITE', 'there is no suite "tolman"', 'Did you mean "toolman"?'],
    ['--suite banana', 'E_UNKNOWN_SUITE', 'there is no suite "banana"', 'Available: toolman, agent.'],
    ['--suite all', 'E_UNKNOWN_SUITE', 'no suite is called "all"', 'Use --all.'],
    ['--suite tool-registry', 'E_NO_CHECKS', 'suite "tool-registry" has no checks yet', 'toolman, agent'],
    [
      '--requirement R-01',
      'E_NO_CHECKS',
      'requirement "R-01" of suite tool-registry has no checks yet',
      'toolman',
    ],
    ['--requirement X-09', 'E_NO_CHECKS', 'requirement "X-09" of suite all has no checks yet', 'toolman'],
    [
      '--requirement T-1',
      'E_UNKNOWN_REQUIREMENT',
      'there is no requirement "T-1"',
      'Did you mean "T-01"? `npm run',
    ],
    [
      '--requirement ZZ-9999',
      'E_UNKNOWN_REQUIREMENT',
      'there is no requirement "ZZ-9999"',
      'Available: T-01,',
    ],
    [
      '--suite agent --requirement T-01',
      'E_OPTION',
      '"T-01" belongs to suite toolman',
      'Add --suite toolman',
    ],
    ['--suite agent toolman --requirement T-01', 'E_OPTION', 'belongs to suite agent', 'Omit --suite'],
    [
      '--suite toolman --image app=x',
      'E_UNKNOWN_IMAGE',
      'no chosen suite has an image named "app"',
      'toolman-app',
    ],
    ['--suite agent --image toolman-app=x', 'E_UNKNOWN_IMAGE', '"toolman-app"', 'agent-app'],
    [
      '--all --chart ./c',
      'E_OPTION',
      '--chart, --platform, --reference, --values, --set and --prerequisites belong to one suite',
      'toolman, agent',
    ],
    [
      '--all --set a=1',
      'E_OPTION',
      '--chart, --platform, --reference, --values, --set and --prerequisites belong to one suite',
      'toolman, agent',
    ],
    [
      '--all --prerequisites db.yaml',
      'E_OPTION',
      '--chart, --platform, --reference, --values, --set and --prerequisites belong to one suite',
      'toolman, agent',
    ],
    [
      '--all --values v.yaml',
      'E_OPTION',
      '--chart, --platform, --reference, --values, --set and --prerequisites belong to one suite',
      'toolman, agent',
    ],
    ['--suite toolman --tags lvie', 'E_TAGS', 'there is no tag "lvie"', 'Did you mean "live"?'],
    ['--prove --fault otter', 'E_UNKNOWN_FAULT', 'there is no fault "otter"', 'Did you mean "other"?'],
    [
      '--suite toolman --prove --fault other',
      'E_UNKNOWN_FAULT',
      'there is no fault "other"',
      'Available: a, b',
    ],
    ['--prove --requirement T-03', 'E_NO_FAULT', 'there is no fault to prove', '--list'],
    [
      '--suite toolman --prove --fault f --requirement T-01',
      'E_NO_FAULT',
      'there is no fault to prove',
      '--list',
    ],
  ])('rejects "%s"', (line, code, message, hint) => {
    const planning = (): unknown => plan(line);
    expect(planning).toThrow(UsageError);
    expect(planning).toThrow(message);
    expect(planning).toThrow(
      expect.objectContaining({ code, hint: expect.stringContaining(hint) as string }) as Error,
    );
  });
});

describe('the subject', () => {
  const subjectOf = (line: string) => plan(`--suite toolman ${line}`).suites[0]!.subject;

  it('is the reference by default', () => {
    expect(subjectOf('')).toEqual({
      chart: 'charts/toolman',
      values: ['values/toolman.yaml'],
      set: [],
      patches: [],
      reference: true,
      images: [{ name: 'toolman-app', ref: 'local/toolman:1' }],
    });
  });

  it.each([
    ['--chart ./mine', { chart: './mine', values: [], reference: false }],
    ['--chart ./mine --values v.yaml', { chart: './mine', values: ['v.yaml'], reference: false }],
    [
      '--chart oci://r.example/c/toolman --chart-version 1.4.0',
      { chart: 'oci://r.example/c/toolman', chartVersion: '1.4.0', values: [], reference: false },
    ],
    ['--values v.yaml', { chart: 'charts/toolman', values: ['v.yaml'], reference: true }],
    ['--set a=1', { values: ['values/toolman.yaml'], set: ['a=1'] }],
    ['--prerequisites db.yaml', { chart: 'charts/toolman', prerequisites: ['db.yaml'] }],
    // --set comes last, so it overrides --image.
    [
      '--image toolman-app=me/app:2 --set image=x',
      { set: ['image=me/app:2', 'image=x'], images: [{ name: 'toolman-app', ref: 'me/app:2' }] },
    ],
  ])('%s', (line, expected) => {
    expect(subjectOf(line)).toMatchObject(expected);
  });
});

describe('the version before', () => {
  const previousOf = (line: string, of = catalogue) =>
    plan(`--suite toolman ${line}`, 0, of).suites[0]?.subject.previous;

  it('of a chart of the user is what --previous names, with the values and images of the subject', () => {
    const chart = '--chart ./mine --values v.yaml --set a=1 --image toolman-app=me/app:2';
    expect(previousOf(chart)).toBeUndefined();
    expect(previousOf(`${chart} --previous oci://r.example/c/mine --previous-version 1.3.0`)).toEqual({
      chart: 'oci://r.example/c/mine',
      chartVersion: '1.3.0',
      values: ['v.yaml'],
      set: ['image=me/app:2', 'a=1'],
      patches: [],
    });
  });

  it('has only the values of --previous-values, where they are given', () => {
    const line = '--chart ./mine --values v.yaml --set a=1 --previous ./old --previous-values o.yaml';
    expect(previousOf(line)).toEqual({ chart: './old', values: ['o.yaml'], set: [], patches: [] });
  });

  it('of a reference is a copy of it, with its differences', () => {
    const [{ definition, requirements }] = catalogue as [CataloguedSuite];
    const difference = { target: { kind: 'Deployment' }, ops: [] };
    const subject = { ...definition.subject, previous: { version: '0.9.0', patches: [difference] } };
    const of = [{ definition: { ...definition, subject }, requirements }];
    expect(previousOf('--set a=1', of)).toEqual({
      chart: 'charts/toolman',
      values: ['values/toolman.yaml'],
      set: ['a=1'],
      patches: [difference],
      copiedAs: '0.9.0',
    });
    expect(previousOf('--chart ./mine', of)).toBeUndefined();
  });
});

describe('a subject of plain manifests with an environment', () => {
  const registry = suite('registry', ['R-01'], []);
  const [image] = registry.definition.subject.images;
  registry.definition.subject.images = [
    { ...image!, name: 'api', override: { containers: ['migrations', 'api'] } },
  ];
  registry.definition.environment = {
    title: 'PostgreSQL',
    images: [],
    secrets: [],
    open: () => Promise.reject(new Error('a plan opens no environment')),
  };
  const planOf = (line: string) =>
    planRun(
      parseOptions(`--suite registry ${line}`.trim().split(' '), () => {})!,
      [registry],
      'id',
      0,
    );

  it('gets its images by container name', () => {
    const [{ subject }] = planOf('--image api=me/api:2').suites as [RunPlan['suites'][number]];
    expect(subject.patches).toEqual([{ images: { migrations: 'me/api:2', api: 'me/api:2' } }]);
    expect(subject.set).toEqual([]);
  });

  it('is rejected on an existing cluster', () => {
    expect(() => planOf('--cluster existing --kubeconfig f --context c')).toThrow(
      /registry needs PostgreSQL on the network/,
    );
  });
});

describe('faults', () => {
  const faultsOf = (line: string, rotation = 0) => plan(line, rotation).suites.flatMap((s) => s.faults);

  it('are proven only with --prove, without the checks of the conforming subject', () => {
    expect(plan('--suite toolman')).toMatchObject({ checks: true, suites: [{ faults: [] }] });
    expect(plan('--suite toolman --prove').checks).toBe(false);
    expect(plan('--suite toolman --prove --checks').checks).toBe(true);
    expect(faultsOf('--all --prove')).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'other']);
  });

  it('can be chosen by name or requirement', () => {
    expect(faultsOf('--suite toolman --prove --fault b f')).toEqual(['b', 'f']);
    expect(faultsOf('--prove --requirement T-02')).toEqual(['f']);
  });

  it.each([1, 2, 4, 5, 6, 7])('are all in a sample of %i after some days', (size) => {
    const days = Array.from({ length: Math.ceil(6 / size) }, (_, day) =>
      faultsOf(`--suite toolman --prove --sample ${size}`, 20_000 + day),
    );
    expect(new Set(days.flat())).toEqual(new Set(['a', 'b', 'c', 'd', 'e', 'f']));
    for (const day of days) expect(new Set(day).size).toBe(Math.min(size, 6));
  });
});

describe('faults that need a part of the reference subject', () => {
  const marked = (name: string, part: string): Fault => ({
    ...fault(name, 'T-01'),
    standIn: { part, reason: `only ${part} has it` },
  });
  const faults = [fault('a', 'T-01'), marked('mode', 'toolman-app'), marked('script', 'chart')];
  const own = [suite('toolman', ['T-01'], faults)];
  const optionsOf = (line: string) =>
    parseOptions(`--suite toolman --prove ${line}`.trim().split(' '), () => {})!;
  const planOf = (line: string, rotation = 0) => planRun(optionsOf(line), own, 'id', rotation);

  it.each([
    ['', ['a', 'mode', 'script'], []],
    ['--set a=1', ['a', 'mode', 'script'], []],
    ['--image toolman-app=me/app:2', ['a', 'script'], ['mode']],
    ['--chart ./mine', ['a', 'mode'], ['script']],
    ['--chart ./mine --image toolman-app=me/app:2', ['a'], ['mode', 'script']],
  ])('are left out when the options replace that part: %s', (line, proven, left) => {
    const [{ faults: chosen, notProvable }] = planOf(line).suites as [RunPlan['suites'][number]];
    expect(chosen).toEqual(proven);
    expect(notProvable.map((f) => f.fault)).toEqual(left);
  });

  it.each([0, 1, 2])('are never in a sample, which keeps its size: day %i', (day) => {
    const line = '--chart ./mine --image toolman-app=me/app:2 --sample 1';
    expect(planOf(line, day).suites[0]?.faults).toEqual(['a']);
  });

  it('are an error when nothing else is chosen', () => {
    expect(() => planOf('--fault mode --image toolman-app=me/app:2')).toThrow(
      'fault mode is not provable here: only toolman-app has it',
    );
  });

  it('are left out once it is known that another image runs under the name of the stand-in', () => {
    const options = optionsOf('');
    const before = planRun(options, own, 'id', 0);
    const [suitePlan] = withStandIns(before, options, () => false).suites;
    expect(suitePlan?.faults).toEqual(['a', 'script']);
    expect(suitePlan?.notProvable).toEqual([{ fault: 'mode', reason: 'only toolman-app has it' }]);
    expect(withStandIns(before, options, () => true)).toEqual(before);
  });

  it('stay left out when the image of the options is a copy of the stand-in', () => {
    const options = optionsOf('--image toolman-app=me/copy:1');
    const [suitePlan] = withStandIns(planRun(options, own, 'id', 0), options, () => true).suites;
    expect(suitePlan?.faults).toEqual(['a', 'script']);
  });

  it('are listed by the plan, by reason', () => {
    expect(describePlan(planOf('--image toolman-app=me/app:2'), '').at(-1)).toBe(
      '  not provable here, because only toolman-app has it: mode',
    );
  });
});

describe('further reference subjects', () => {
  const own = suite(
    'toolman',
    ['T-01'],
    [
      fault('a', 'T-01'),
      { ...fault('orderly', 'T-01'), reference: 'store' },
      {
        ...fault('deaf', 'T-01'),
        reference: 'store',
        standIn: { part: 'store-app', reason: 'only it is deaf' },
      },
      {
        ...fault('queue', 'T-01'),
        reference: 'shop',
        standIn: { part: 'chart', reason: 'only it has a queue' },
      },
    ],
  );
  const [image] = own.definition.subject.images;
  own.definition.references = {
    store: {
      chart: 'charts/store',
      values: ['values/store.yaml'],
      images: [{ ...image!, name: 'store-app', override: { containers: ['store'] } }],
    },
    shop: { chart: 'charts/shop', values: [], images: [] },
  };
  const both = [own, suite('agent', ['K-01'], [], ['T-01'])];
  const optionsOf = (line: string) => parseOptions(line.split(' '), () => {})!;
  const planOf = (line: string, day = 0) => planRun(optionsOf(line), both, 'id', day);
  const suiteOf = (line: string, day = 0) => planOf(line, day).suites[0]!;

  it('are prepared when faults are injected into them, with their own values', () => {
    const { subject, references, faults } = suiteOf('--suite toolman --prove');
    expect(faults).toEqual(['a', 'orderly', 'deaf', 'queue']);
    expect([subject.chart, subject.referenceName]).toEqual(['charts/toolman', undefined]);
    expect(references).toMatchObject({
      store: {
        chart: 'charts/store',
        values: ['values/store.yaml'],
        reference: true,
        referenceName: 'store',
      },
      shop: { chart: 'charts/shop', values: [], reference: true, referenceName: 'shop' },
    });
  });

  it.each([
    ['--suite toolman', []],
    ['--prove --fault a', []],
    ['--prove --fault a queue', ['shop']],
    ['--suite toolman --prove --chart ./mine', []],
    ['--prove --reference store', []],
  ])('are prepared only for faults that need them: %s', (line, expected) => {
    expect(Object.keys(suiteOf(line).references)).toEqual(expected);
  });

  it('are sampled like all faults, and only those of the sample are prepared', () => {
    const days = [0, 1, 2, 3].map((day) => suiteOf('--suite toolman --prove --sample 1', day));
    expect(days.map(({ faults }) => faults)).toEqual([['a'], ['orderly'], ['deaf'], ['queue']]);
    expect(days.map(({ references }) => Object.keys(references))).toEqual([
      [],
      ['store'],
      ['store'],
      ['shop'],
    ]);
  });

  it('can be the subject of a run, with their own faults alone', () => {
    const tested = planOf('--reference store --requirement T-01');
    expect(names(tested)).toEqual(['toolman']);
    expect(tested.suites[0]?.subject).toMatchObject({
      chart: 'charts/store',
      values: ['values/store.yaml'],
      reference: true,
      referenceName: 'store',
      images: [{ name: 'store-app', ref: 'local/toolman:1' }],
    });
    expect(suiteOf('--prove --reference store').faults).toEqual(['orderly', 'deaf']);
    expect(suiteOf('--reference store --image store-app=me/store:1').subject.patches).toEqual([
      { images: { store: 'me/store:1' } },
    ]);
  });

  it('do not get the prerequisites of the subject', () => {
    const { subject, references } = suiteOf('--prove --fault queue --prerequisites db.yaml');
    expect(subject.prerequisites).toEqual(['db.yaml']);
    expect(references['shop']).not.toHaveProperty('prerequisites');
  });

  it.each([
    ['--suite toolman --prove --chart ./mine', ['a', 'orderly', 'deaf'], ['queue']],
    // Values and --set are for the subject of the run.
    ['--suite toolman --prove --set a=1', ['a'], ['orderly', 'deaf', 'queue']],
    ['--prove --reference store --set a=1', ['orderly', 'deaf'], []],
    ['--suite toolman --prove --image store-app=me/store:1', ['a', 'orderly', 'queue'], ['deaf']],
  ])('and what a fault of them is injected into: %s', (line, proven, left) => {
    const { faults, notProvable } = suiteOf(line);
    expect(faults).toEqual(proven);
    expect(notProvable.map((f) => f.fault)).toEqual(left);
  });

  it('lose a stand-in on their own', () => {
    const options = optionsOf('--suite toolman --prove');
    const asked: [string, string | undefined][] = [];
    const [left] = withStandIns(planOf('--suite toolman --prove'), options, (_, part, reference) => {
      asked.push([part, reference]);
      return false;
    }).suites;
    expect(left?.faults).toEqual(['a', 'orderly', 'queue']);
    expect(asked).toContainEqual(['store-app', 'store']);
  });

  it('are not sampled any more when a lost stand-in changes the sample and they are not prepared', () => {
    const line = '--suite toolman --prove --sample 1';
    // Day 2 samples `deaf`; without it the sample would have a fault of the shop, which nobody has rendered.
    const [left] = withStandIns(planOf(line, 2), optionsOf(line), () => false).suites;
    expect(left).toMatchObject({
      faults: ['a'],
      notProvable: [{ fault: 'deaf', reason: 'only it is deaf' }],
    });
  });

  it.each([
    ['--suite toolman --reference stor', 'E_UNKNOWN_REFERENCE', 'Did you mean "store"?'],
    ['--suite agent --reference store', 'E_UNKNOWN_REFERENCE', 'Omit --reference'],
    ['--all --reference store', 'E_OPTION', 'toolman, agent'],
  ])('are rejected: %s', (line, code, hint) => {
    expect(() => planOf(line)).toThrow(
      expect.objectContaining({ code, hint: expect.stringContaining(hint) as string }) as Error,
    );
  });

  it('are listed by the plan', () => {
    expect(describePlan(planOf('--prove --fault queue'), '')).toContain(
      '  for faults: reference shop, chart charts/shop',
    );
  });
});

describe('describePlan', () => {
  it('lists what will run', () => {
    const lines = describePlan(
      plan('--requirement T-01 --set a=1 --prerequisites db.yaml --prove'),
      '1 control plane',
    );
    expect(lines).toEqual([
      'cluster: 1 control plane',
      'suite toolman: chart charts/toolman',
      '  values values/toolman.yaml',
      '  set a=1',
      '  prerequisites db.yaml',
      '  image toolman-app = local/toolman:1',
      '  requirements T-01',
      '  faults a, b, c, d, e',
    ]);
  });

  it('masks credentials', () => {
    const lines = describePlan(plan('--requirement T-01 --set db.password=x,a=1'), '1 control plane');
    expect(lines).toContain('  set db.password=•••,a=1');
  });
});

describe('a shared requirement', () => {
  const generic = suite('any-chart', [], [], ['X-01', 'X-02']);
  const several: CataloguedSuite[] = [
    ...catalogue,
    { ...generic, definition: { ...generic.definition, anyChart: true } },
  ];

  it.each<[string, string[]]>([
    ['--requirement X-01', ['any-chart']],
    ['--requirement X-01 T-01', ['toolman', 'any-chart']],
    ['--requirement X-01 --suite toolman', ['toolman']],
    ['--requirement X-01 --all', ['toolman', 'any-chart']],
  ])('%s runs %j', (line, expected) => {
    expect(names(plan(line, 0, several))).toEqual(expected);
  });

  it('belongs to the suites that verify it when there is no suite for any chart', () => {
    expect(names(plan('--requirement X-01'))).toEqual(['toolman']);
  });
});

describe('advice', () => {
  const advice = (id: string): Requirement => ({ ...row(id), level: 'advice' });
  const own: CataloguedSuite = {
    ...suite('toolman', [], []),
    requirements: [row('T-01'), advice('T-02')],
    shared: [advice('X-01'), row('X-02')],
  };
  const planned = (line: string) =>
    planRun(
      parseOptions(line.split(' '), () => {})!,
      [own],
      'id',
      0,
    );

  it('is known to the plan, also that of shared requirements', () => {
    expect(planned('--suite toolman').suites[0]?.advice).toEqual(['T-02', 'X-01']);
  });

  it('does not exist with --strict-advice', () => {
    expect(planned('--suite toolman --strict-advice').suites[0]?.advice).toBeUndefined();
  });
});

describe('platforms', () => {
  const REQUIREMENTS = ['T-02', 'T-03'];
  const withPlatform = (): CataloguedSuite[] => {
    const [toolman, ...others] = catalogue as [CataloguedSuite, ...CataloguedSuite[]];
    const { subject, faults } = toolman.definition;
    const mode: Fault = {
      ...fault('mode', 'T-02'),
      reference: 'wharf',
      platform: { MODE: 'x' },
      standIn: { part: 'platform', reason: 'it is a mode' },
    };
    const definition: SuiteDefinition = {
      ...toolman.definition,
      faults: [...faults, mode],
      references: { wharf: { ...subject, platform: 'wharf.yaml' } },
      platform: {
        requirements: REQUIREMENTS,
        validate: () => Promise.resolve({ name: 'wharf', files: [] }),
      },
    };
    return [{ ...toolman, definition }, ...others];
  };
  const planOf = (line: string): RunPlan => plan(line, 0, withPlatform());

  it.each([
    ['--platform mine.yaml', 'mine.yaml', REQUIREMENTS],
    ['--suite toolman --platform mine.yaml', 'mine.yaml', REQUIREMENTS],
    ['--platform mine.yaml --requirement T-03', 'mine.yaml', ['T-03']],
    ['--reference wharf', 'wharf.yaml', REQUIREMENTS],
    ['--suite toolman', undefined, undefined],
    ['--suite toolman --chart ./mine', undefined, undefined],
  ])('%s tests the platform %s', (line, platform, select) => {
    const { suites } = planOf(line);
    expect(suites.map(({ definition, subject }) => [definition.name, subject.platform])).toEqual([
      ['toolman', platform],
    ]);
    expect(suites[0]?.select).toEqual(select);
  });

  it('of a user are no reference subjects', () => {
    expect(planOf('--platform mine.yaml').suites[0]?.subject.reference).toBe(false);
    expect(planOf('--reference wharf').suites[0]?.subject.reference).toBe(true);
  });

  it('get the faults of their reference, and no chart does', () => {
    expect(planOf('--suite toolman --prove --fault mode').suites[0]?.references['wharf']?.platform).toBe(
      'wharf.yaml',
    );
    expect(planOf('--reference wharf --prove').suites[0]?.faults).toEqual(['mode']);
    expect(planOf('--suite toolman --chart ./mine --prove').suites[0]?.notProvable).toEqual([
      { fault: 'mode', reason: 'it is a mode' },
    ]);
  });

  it.each([
    ['--suite agent --platform mine.yaml', 'suite agent tests charts, not platforms'],
    ['--platform mine.yaml --requirement T-01', 'requirement T-01 is about a chart'],
    ['--reference wharf --requirement T-01', 'requirement T-01 is about a chart'],
    ['--all --platform mine.yaml', 'belong to one suite'],
    ['--platform mine.yaml --prerequisites db.yaml', '--prerequisites belong to a chart'],
    ['--reference wharf --prerequisites db.yaml', '--prerequisites belong to a chart'],
  ])('are refused: %s', (line, message) => {
    expect(() => planOf(line)).toThrow(message);
  });
});
