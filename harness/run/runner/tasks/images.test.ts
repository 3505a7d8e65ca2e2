import { describe, expect, it } from 'vitest';
import type { CommandResult, CommandRunner } from '../../../core/command.ts';
import { silentLog } from '../../../core/log.ts';
import { FINGERPRINT_LABEL, type ImageRecipe } from '../../../host/images/types.ts';
import type { KubeObject } from '../../../kube/api/types.ts';
import type { ImageIdentity } from '../../../kube/cluster/cluster.ts';
import { sampleContainer, sampleDeployment } from '../../../testing/sample-objects.ts';
import { parseOptions } from '../../plan/options.ts';
import { planRun, type RunPlan } from '../../plan/plan.ts';
import type { Selection } from '../../plan/select-checks.ts';
import type { Report } from '../../report/model.ts';
import type { SuiteDefinition } from '../../suite/definition.ts';
import type { Step } from '../step.ts';
import type { TestRun } from '../test-run.ts';
import { loadImages, prepareAllImages } from './images.ts';

const REF = 'ghcr.io/them/app:1';
const ID = `sha256:${'a'.repeat(64)}`;
const MANIFEST = `sha256:${'b'.repeat(64)}`;
const IN_REGISTRY = `sha256:${'c'.repeat(64)}`;

function recipeOf(ref: string): ImageRecipe {
  return { ref, fingerprint: () => Promise.resolve('f1') } as ImageRecipe;
}

const definition = {
  name: 'app',
  subject: {
    chart: 'charts/app',
    values: [],
    releaseName: 'app',
    images: [
      {
        name: 'app',
        recipe: recipeOf(REF),
        override: { containers: ['app'] },
      },
    ],
  },
  faults: [
    {
      name: 'mode',
      description: '',
      requirements: ['T-01'],
      reason: /./,
      standIn: { part: 'app', reason: 'r' },
    },
    { name: 'other', description: '', requirements: ['T-01'], reason: /./ },
  ],
  shared: [],
} as unknown as SuiteDefinition;

/** An engine that has every image, with these labels. */
function engine(labels: object): CommandRunner {
  const stdout = JSON.stringify([
    { Id: ID, Config: { Labels: labels }, RepoDigests: [`ghcr.io/them/app@${IN_REGISTRY}`] },
  ]);
  return { run: () => Promise.resolve({ exitCode: 0, stdout, stderr: '' } as CommandResult) };
}

const step = (command: CommandRunner): Step =>
  ({
    command,
    log: silentLog,
    signal: new AbortController().signal,
    onProgress: () => {},
  }) as unknown as Step;

interface Fakes {
  plan: RunPlan;
  images: TestRun['images'];
  report: Pick<Report, 'images' | 'subjects'>;
}

function runOf({
  image = REF,
  isExisting = false,
  reuse = false,
  of = definition,
  declared = [],
  prerequisites = [],
}: {
  prerequisites?: KubeObject[];
  declared?: Selection['declared'];
  of?: SuiteDefinition;
  image?: string;
  isExisting?: boolean;
  reuse?: boolean;
}): TestRun & Fakes {
  const options = parseOptions(['--suite', 'app', '--prove', ...(reuse ? ['--reuse'] : [])], () => {})!;
  const requirement = { id: 'T-01', source: '', requirement: '', check: '', kind: ['S' as const] };
  const objects = [sampleDeployment({ containers: [sampleContainer({ name: 'app', image })] })];
  const fakes = {
    options,
    plan: planRun(options, [{ definition: of, requirements: [requirement] }], 'id', 0),
    project: { probeImages: [] },
    selection: { declared, chosen: declared },
    provider: { isExisting },
    rendered: new Map([['app', { objects }]]),
    prerequisites,
    images: [],
    report: { subjects: [{ suite: 'app', chart: 'c', values: [], images: [] }] },
    warn: () => {},
    cluster: {
      loadImages: () => Promise.resolve(),
      imageIdentities: (refs: readonly string[]) =>
        Promise.resolve(
          new Map(
            refs.map((ref): [string, ImageIdentity] => [ref, { manifests: [MANIFEST], ids: [MANIFEST, ID] }]),
          ),
        ),
    },
  };
  return fakes as unknown as TestRun & Fakes;
}

const startedByChecks = {
  ...definition,
  subject: {
    ...definition.subject,
    images: definition.subject.images.map((one) => ({ ...one, override: { containers: [] }, always: true })),
  },
};

const STAND_IN = { [FINGERPRINT_LABEL]: 'f1' };

describe('preparing the images', () => {
  it.each<[string, Parameters<typeof runOf>[0], object, string[]]>([
    ['of the stand-in keeps its faults', {}, STAND_IN, ['mode', 'other']],
    ['of a user under the name of the stand-in leaves them out', {}, { maintainer: 'me' }, ['other']],
    [
      'of the stand-in that only checks start keeps its faults',
      { image: 'me/app:2', of: startedByChecks },
      STAND_IN,
      ['mode', 'other'],
    ],
    ['that the values name instead leaves them out', { image: 'me/app:2' }, STAND_IN, ['other']],
    [
      'for an existing cluster, whose nodes have their own, keeps the plan',
      { isExisting: true },
      {},
      ['mode', 'other'],
    ],
  ])('%s', async (_case, about, labels, faults) => {
    const run = runOf(about);
    await prepareAllImages.setup(run, step(engine(labels)));
    expect(run.plan.suites[0]?.faults).toEqual(faults);
  });
});

describe('an image that cannot be pulled', () => {
  const OTHER = 'me/app:2';
  const says = (message: string): CommandRunner => ({
    run: (_file, args) =>
      Promise.resolve({
        exitCode: 1,
        stdout: '',
        stderr: args[0] === 'pull' ? message : 'No such image',
      } as CommandResult),
  });

  it.each([
    ['no basic auth credentials', 'E_IMAGE_REFUSED'],
    ['dial tcp: lookup registry-1.docker.io: no such host', 'E_IMAGE_PULL'],
    [`filesystem layer verification failed for digest ${ID}`, 'E_IMAGE_CORRUPT'],
  ])('ends the run without a verdict: %s', async (message, code) => {
    const run = runOf({ image: OTHER });
    await expect(prepareAllImages.setup(run, step(says(message)))).rejects.toMatchObject({
      code,
      exitCode: 3,
    });
  });

  it.each([
    ['no registry has, which a check reports', {}, 'manifest unknown'],
    ['nodes of an existing cluster may have', { isExisting: true }, 'no basic auth credentials'],
    ['nodes of a kept cluster may have', { reuse: true }, 'no basic auth credentials'],
  ])('is a warning when it is one that %s', async (_case, about, message) => {
    const run = runOf({ image: OTHER, ...about });
    await prepareAllImages.setup(run, step(says(message)));
    expect(run.images).toMatchObject([{ source: 'unavailable', failure: { reason: message } }]);
  });
});

describe('the image of a prerequisite', () => {
  const OF_DATABASE = 'docker.io/them/db:1';
  const containers = [sampleContainer({ name: 'db', image: OF_DATABASE })];
  const prerequisites = [sampleDeployment({ containers })];

  it('is prepared, and is none of the subject', async () => {
    const run = runOf({ prerequisites });
    await prepareAllImages.setup(run, step(engine({})));
    expect(run.images.find(({ ref }) => ref === OF_DATABASE)?.namedBy).toEqual([
      'prerequisite Deployment web',
    ]);
  });

  it('ends the run without a verdict when no registry has it: no check could say anything', async () => {
    const missing: CommandRunner = {
      run: (_file, args) =>
        Promise.resolve(
          args.includes(OF_DATABASE)
            ? ({
                exitCode: 1,
                stdout: '',
                stderr: args[0] === 'pull' ? 'manifest unknown' : 'No such image',
              } as CommandResult)
            : engine({}).run('docker', args),
        ),
    };
    await expect(prepareAllImages.setup(runOf({ prerequisites }), step(missing))).rejects.toMatchObject({
      code: 'E_IMAGE_PULL',
    });
    await prepareAllImages.setup(runOf({ prerequisites, reuse: true }), step(missing));
  });
});

describe('the images of a further reference subject', () => {
  const OF_STORE = 'ghcr.io/them/store:1';
  const withStore = {
    ...definition,
    references: {
      store: {
        chart: 'charts/store',
        values: [],
        images: [{ ...definition.subject.images[0], name: 'store', recipe: recipeOf(OF_STORE) }],
      },
    },
    faults: [
      ...definition.faults,
      {
        name: 'deaf',
        description: '',
        requirements: ['T-01'],
        reason: /./,
        reference: 'store',
        standIn: { part: 'store', reason: 'r' },
      },
    ],
  } as SuiteDefinition;

  it.each([
    ['are prepared, and keep its faults', STAND_IN, ['mode', 'other', 'deaf']],
    ['of a user under the name of the stand-in leave its faults out', { maintainer: 'me' }, ['other']],
  ])('%s', async (_case, labels, faults) => {
    const run = runOf({ of: withStore });
    const objects = [sampleDeployment({ containers: [sampleContainer({ name: 'store', image: OF_STORE })] })];
    run.rendered.set('app/store', { objects });
    await prepareAllImages.setup(run, step(engine(labels)));
    expect(run.plan.suites[0]?.faults).toEqual(faults);
    // No pod of the subject runs it.
    expect(run.images.find(({ ref }) => ref === OF_STORE)?.namedBy).toEqual(['pods of the checks']);
  });
});

describe('an image for some checks', () => {
  const OF_CHECKS = 'docker.io/them/daemon:1';
  const withDaemon = {
    ...definition,
    subject: {
      ...definition.subject,
      images: [
        ...definition.subject.images,
        { name: 'daemon', recipe: recipeOf(OF_CHECKS), override: { containers: ['daemon'] } },
      ],
    },
  } as SuiteDefinition;
  const check = {
    id: 'app/T-01',
    suite: 'app',
    file: 'x',
    requirements: ['T-01'],
    title: 'x',
    tags: ['live'],
  };

  it.each([
    ['is prepared when one of them is chosen', ['daemon'], [REF, OF_CHECKS]],
    ['is not prepared without them', [], [REF]],
  ])('%s', async (_case, images, refs) => {
    const run = runOf({ of: withDaemon, declared: [{ ...check, images }] });
    await prepareAllImages.setup(run, step(engine(STAND_IN)));
    expect(run.images.map(({ ref }) => ref)).toEqual(refs);
  });
});

describe('loading the images', () => {
  it('reports everything that pods may show as their ids, and the manifests', async () => {
    const run = runOf({});
    await prepareAllImages.setup(run, step(engine({})));
    await loadImages.setup(run, step(engine({})));
    expect(run.report.images).toEqual([
      {
        ref: REF,
        source: 'present',
        standIn: false,
        ids: [ID, IN_REGISTRY, MANIFEST],
        registryManifest: IN_REGISTRY,
        nodeManifests: [MANIFEST],
        namedBy: ['Deployment web: container app'],
      },
    ]);
    expect(run.report.subjects[0]?.images).toEqual([{ name: 'app', ref: REF, digest: ID }]);
  });
});
