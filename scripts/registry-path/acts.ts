/** What a run does with registries, as the cases call it: the harness's own functions and tasks, with the private engine. */
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureNodeImage } from '../../clusters/node-image/node-image.ts';
import { readRecipe } from '../../clusters/node-image/recipe.ts';
import { silentLog } from '../../harness/core/log.ts';
import { planImages, prepareImages } from '../../harness/host/images/plan-images.ts';
import type { BuildContext, ImageRecipe } from '../../harness/host/images/types.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { prepareAllImages } from '../../harness/run/runner/tasks/images.ts';
import { subjects } from '../../harness/run/runner/tasks/subjects.ts';
import type { Step } from '../../harness/run/runner/step.ts';
import type { TestRun } from '../../harness/run/runner/test-run.ts';
import { projectRoot } from '../project.ts';
import type { RegistryPath } from './registry-path.ts';

/** The task `images` of a run whose subject names this image. Returns its source and warnings. */
export async function prepareApplication(
  path: RegistryPath,
  ref: string,
  { isExisting = false } = {},
): Promise<string> {
  const said: string[] = [];
  const run = {
    ...{
      plan: {
        suites: [
          {
            definition: { name: 'app', subject: { images: [], recipes: [] }, faults: [] },
            subject: { images: [] },
            references: {},
          },
        ],
      },
      project: { probeImages: [] },
      provider: { isExisting },
      clock: path.fastClock,
    },
    options: { reuse: false },
    selection: { declared: [], chosen: [] },
    rendered: new Map([['app', { objects: [podOf(ref)] }]]),
    prerequisites: [],
    images: [],
    warn: (text: string, hint = '') => said.push(`${text} (${hint})`),
  } as unknown as TestRun;
  await prepareAllImages.setup(run, stepOf(path));
  const [image] = run.images;
  return [`${image?.source ?? ''} ${image?.manifest ?? ''}`.trim(), ...said].join('; ');
}

/** The task `subject` of a run with `--chart`. Returns what the report says about the chart, and warnings. */
export async function prepareChart(
  path: RegistryPath,
  chart: string,
  chartVersion?: string,
): Promise<string> {
  const said: string[] = [];
  const run = {
    plan: {
      suites: [
        {
          definition: { name: 'toolman', subject: { releaseName: 'toolman' } },
          subject: { chart, chartVersion, values: [], set: [], patches: [] },
          references: {},
        },
      ],
    },
    ...{
      directory: await mkdtemp(join(path.folder, 'run-')),
      clock: path.fastClock,
      tools: { helm: path.helm },
    },
    provider: { kubernetesVersion: () => Promise.resolve('v1.36.3') },
    ...{ project: { root: projectRoot }, report: { subjects: [] }, redactor: { learn: () => {} } },
    rendered: new Map(),
    prerequisites: [],
    warn: (text: string) => said.push(text),
  } as unknown as TestRun;
  try {
    await subjects.setup(run, stepOf(path));
    const published = run.report.subjects[0]?.digest?.chart.published;
    const objects = run.rendered.get('toolman')?.objects.length ?? 0;
    return [
      `${published?.reference ?? ''} ${published?.version ?? ''} ${published?.digest ?? ''}, ${objects} objects`,
      ...said,
    ].join('; ');
  } finally {
    await subjects.teardown?.(run, stepOf(path));
  }
}

/** The image for the nodes of a machine with cgroup v2. Returns its reference and id, or that it was built. */
export async function prepareNode(path: RegistryPath, published = path.node): Promise<string> {
  const said: string[] = [];
  const recipe = await readRecipe();
  const { run } = path;
  const built = 'built from packages';
  const builds: string[] = [];
  const image = await ensureNodeImage(
    {
      run: {
        run: async (file, args, options) => {
          const result = await run.run(file, args, options);
          if (args[0] === 'info') return { ...result, stdout: '2\n' };
          // The engine has the image once it is built.
          if (args.at(-1) === recipe.ref && builds.length > 0)
            return { ...result, exitCode: 0, stdout: built };
          return result;
        },
      },
      ...{ signal: path.signal, clock: path.fastClock },
      recipe: {
        ...recipe,
        versions: { ...recipe.versions, published: { ref: published, kubernetes: 'v1.37.0' } },
      },
      build: (_deps, { ref }) => {
        builds.push(ref);
        return Promise.resolve();
      },
    },
    { onProgress: (text) => said.push(text) },
  );
  return builds.length > 0 ? `${built}; ${said.join('; ')}` : `${image.ref} ${image.digest}`;
}

/** An image of the environment or a stand-in, with the base images of a registry. */
export async function prepareRecipe(path: RegistryPath, recipe: ImageRecipe): Promise<string> {
  const images = await prepareImages(planImages({ rendered: [], recipes: [recipe], always: [recipe.ref] }), {
    ...contextOf(path),
    clock: path.fastClock,
  });
  return images
    .map(({ source, standIn, manifest }) => `${source} ${standIn ? 'stand-in' : ''} ${manifest ?? ''}`)
    .join();
}

/** What a build of a recipe gets. The engine may not set up a network for containers, so they use that of the machine. */
export async function buildContext(path: RegistryPath): Promise<BuildContext> {
  const workDir = await mkdtemp(join(path.folder, 'build-'));
  await mkdir(workDir, { recursive: true });
  return { ...contextOf(path), workDir };
}

function contextOf({ run, signal }: RegistryPath) {
  const command: RegistryPath['run'] = {
    run: (file, args, options) =>
      run.run(file, args[0] === 'build' ? ['build', '--network=host', ...args.slice(1)] : args, options),
  };
  return { run: command, log: silentLog, signal, onProgress: () => {} };
}

function stepOf({ run, signal }: RegistryPath): Step {
  return { command: run, log: silentLog, signal, onProgress: () => {}, warn: () => {} };
}

function podOf(image: string): KubeObject {
  const metadata = { name: 'app', namespace: 'default' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { containers: [{ name: 'app', image }] },
  };
}
