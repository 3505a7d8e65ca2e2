import { describe, expect, it } from 'vitest';
import type { Fault, SuiteDefinition } from '../suite/definition.ts';
import { parseOptions } from './options.ts';
import { planRun } from './plan.ts';
import type { Requirement } from '../suite/requirements.ts';
import { selectChecks, type Selection } from './select-checks.ts';

const row = (id: string): Requirement => ({ id, source: 's', requirement: 'r', check: 'c', kind: ['L'] });

function suite(name: string, ids: string[], faults: Record<string, string[]>) {
  const definition = {
    name,
    topology: { groups: [] },
    subject: { chart: 'c', values: [], releaseName: name, images: [] },
    faults: Object.entries(faults).map(
      ([fault, requirements]) => ({ name: fault, requirements }) as unknown as Fault,
    ),
    shared: [],
  } as unknown as SuiteDefinition;
  return { definition, requirements: ids.map(row) };
}

const catalogue = [
  suite('toolman', ['T-1', 'T-2', 'T-3', 'T-13', 'T-14'], { f: ['T-1'], g: ['T-2', 'T-14'] }),
  suite('agent', ['G-1'], { h: ['G-1'] }),
];

const check = (id: string, ...tags: string[]): Selection['declared'][number] => {
  const [suiteName = '', requirement = ''] = id.split(/[/#]/);
  return {
    id,
    suite: suiteName,
    file: 'x',
    title: 'x',
    requirements: [requirement],
    tags: [suiteName, ...tags],
  };
};
const declared = [
  check('toolman/T-1', 'static'),
  check('toolman/T-1#2', 'live', 'disruptive'),
  check('toolman/T-2', 'live'),
  check('toolman/T-3', 'live'),
  check('agent/G-1', 'live'),
];

function select(line: string): Selection {
  const words = line.match(/"[^"]*"|\S+/g) ?? [];
  const options = parseOptions(
    words.map((word) => word.replaceAll('"', '')),
    () => {},
  )!;
  const plan = planRun(options, catalogue, 'id', 0);
  const names = plan.suites.map(({ definition }) => definition.name);
  return selectChecks(
    plan,
    options,
    declared.filter((one) => names.includes(one.suite)),
  );
}
const chosen = (line: string) => select(line).chosen.map(({ id }) => id);

describe('the checks of a run', () => {
  it.each([
    ['--suite toolman', ['toolman/T-1', 'toolman/T-1#2', 'toolman/T-2', 'toolman/T-3']],
    ['--all', ['toolman/T-1', 'toolman/T-1#2', 'toolman/T-2', 'toolman/T-3', 'agent/G-1']],
    ['--requirement T-1 G-1', ['toolman/T-1', 'toolman/T-1#2', 'agent/G-1']],
    ['--suite toolman --tags "live and not disruptive"', ['toolman/T-2', 'toolman/T-3']],
    ['--all --tags agent', ['agent/G-1']],
    ['--requirement T-1 T-2 --tags live', ['toolman/T-1#2', 'toolman/T-2']],
    ['--suite toolman --prove', []],
    ['--prove --checks --requirement T-1', ['toolman/T-1', 'toolman/T-1#2']],
  ])('%s: %j', (line, ids) => {
    expect(chosen(line)).toEqual(ids);
  });

  it('include all that the chosen suites declare, for the table of requirements', () => {
    expect(select('--requirement T-1').declared).toHaveLength(4);
  });

  it.each([1, 2, 3, 4, 5])('are each in exactly one of %i parts, which know how many there are', (parts) => {
    const all = Array.from({ length: parts }, (_, index) => select(`--all --shard ${index + 1}/${parts}`));
    const ids = all.flatMap((part) => part.chosen.map(({ id }) => id));
    expect(ids.toSorted()).toEqual(chosen('--all').toSorted());
    expect(all.map(({ shard }) => shard?.of)).toEqual(all.map(() => 5));
  });
});

describe('wrong usage', () => {
  it.each([
    ['--requirement T-1 T-13', 'E_NO_CHECKS', 'requirement "T-13" has no check yet'],
    ['--suite toolman --requirement T-13', 'E_NO_CHECKS', 'requirement "T-13" has no check yet'],
    ['--prove --requirement T-1 T-3', 'E_NO_FAULT', 'requirement "T-3" has no fault yet'],
    ['--prove --checks --requirement T-1 T-3', 'E_NO_FAULT', 'requirement "T-3" has no fault yet'],
    ['--prove --checks --requirement T-14', 'E_NO_CHECKS', 'requirement "T-14" has no check yet'],
    [
      '--prove --fault f --requirement T-1 T-2',
      'E_NO_FAULT',
      'requirement "T-2" is not one that the chosen faults break',
    ],
    [
      '--requirement T-2 --tags static',
      'E_NOTHING_SELECTED',
      'no check of requirement "T-2" matches --tags "static"',
    ],
    [
      '--suite agent --tags disruptive',
      'E_NOTHING_SELECTED',
      'no check of suite agent matches --tags "disruptive"',
    ],
    [
      '--suite toolman agent --tags static',
      'E_NOTHING_SELECTED',
      'no check of suite agent matches --tags "static"',
    ],
    ['--all --tags "static and live"', 'E_NOTHING_SELECTED', 'no check matches --tags "static and live"'],
    ['--requirement T-2 --shard 2/2', 'E_NOTHING_SELECTED', 'part 2 of 2 is empty: only 1 check is selected'],
  ])('%s', (line, code, message) => {
    expect(() => select(line)).toThrow(expect.objectContaining({ code, message, exitCode: 2 }) as Error);
  });

  it('is a suite without checks', () => {
    const options = parseOptions(['--suite', 'agent'], () => {})!;
    expect(() => selectChecks(planRun(options, catalogue, 'id', 0), options, [])).toThrow(
      'no check of suite agent',
    );
  });
});
