import type { Provided } from '../../../kube/cluster/cluster.ts';
import type { SuitePlan } from '../../plan/plan.ts';
import type { Report } from '../../report/model.ts';
import { wishesText } from '../../report/wording.ts';
import type { Step } from '../step.ts';
import type { Task } from '../task.ts';
import { previousKey, subjectKey, type TestRun } from '../test-run.ts';
import { RENDER_NAMESPACE } from './subjects.ts';

/** Opens an existing cluster before anything else happens. */
export const openExistingCluster: Task = {
  title: 'cluster',
  when: ({ provider }) => provider.isExisting,
  setup: (run, step) => open(run, step),
  teardown: (run, step) => run.provider.close(step),
};

/** What a new cluster is made of: the node image. */
export const prepareCluster: Task = {
  title: 'node image',
  when: ({ provider }) => !provider.isExisting,
  setup: (run, step) => run.provider.prepare(step),
};

export const createCluster: Task = {
  title: 'cluster',
  when: ({ provider }) => !provider.isExisting,
  async setup(run, step) {
    const provided = await provide(run, step);
    await open(run, step, run.tools);
    if (provided && run.report.cluster) run.report.cluster.provided = provided;
  },
  teardown: (run, step) => run.provider.close(step),
};

/** What the subjects ask of the cluster. */
async function provide(run: TestRun, step: Step): Promise<Provided | undefined> {
  const parts = [...provideNodes(run), ...provideStorage(run), ...(await provideCpus(run, step))];
  const all: Provided = {
    given: parts.flatMap(({ given }) => given),
    missing: parts.flatMap(({ missing }) => missing),
  };
  if (all.given.length > 0) {
    run.emit({ type: 'notice', level: 'info', text: `provided for the chart: ${wishesText(all.given)}` });
  }
  if (all.missing.length > 0) {
    run.warn(
      `not provided for the chart: ${wishesText(all.missing)}`,
      'Checks that depend on it may fail. Test on a cluster that has it: --cluster existing',
    );
  }
  return all.given.length + all.missing.length > 0 ? all : undefined;
}

/** For suites for any chart; the other suites know their nodes. */
function provideNodes({ plan, provider, rendered }: TestRun): Provided[] {
  return plan.suites.flatMap((suite) => {
    if (suite.definition.anyChart !== true) return [];
    // At once: a node that one of them asks for may be of use for another.
    const objects = keysOf(suite).flatMap((key) => rendered.get(key)?.objects ?? []);
    if (objects.length === 0) return [];
    return provider.provide?.(suite.definition.name, objects, { namespace: RENDER_NAMESPACE }) ?? [];
  });
}

/** For everything that is installed: the subjects, the versions before them and the prerequisites. */
function provideStorage({ plan, provider, rendered, prerequisites }: TestRun): Provided[] {
  const keys = plan.suites.flatMap(keysOf).flatMap((key) => [key, previousKey(key)]);
  const objects = keys.flatMap((key) => rendered.get(key)?.objects ?? []);
  const provided = provider.provideStorage?.([...objects, ...prerequisites]);
  return provided ? [provided] : [];
}

/** The prerequisites are installed with each release. */
async function provideCpus(
  { plan, provider, rendered, prerequisites }: TestRun,
  step: Step,
): Promise<Provided[]> {
  const provided = await provider.provideCpus?.(
    plan.suites.flatMap(keysOf).map((key) => [...(rendered.get(key)?.objects ?? []), ...prerequisites]),
    { namespace: RENDER_NAMESPACE },
    step,
  );
  return provided ? [provided] : [];
}

function keysOf({ definition, references }: SuitePlan): string[] {
  return [undefined, ...Object.keys(references)].map((name) => subjectKey(definition, name));
}

async function open(run: TestRun, step: Step, tools = {}): Promise<void> {
  run.cluster = await run.provider.open(step, tools);
  run.report.cluster = await describe(run);
  const { nodeImage } = run.cluster;
  if (nodeImage) run.report.tools['node image'] = `${nodeImage.ref} ${nodeImage.digest}`;
}

async function describe({ cluster }: TestRun): Promise<NonNullable<Report['cluster']>> {
  const { provider, name, kubernetes } = cluster;
  return { provider, name, kubernetes, nodes: await cluster.describe(), capabilities: [] };
}
