import type { Report } from '../../report/model.ts';
import type { Step } from '../step.ts';
import type { Task } from '../task.ts';
import type { TestRun } from '../test-run.ts';

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
  setup: (run, step) => open(run, step, run.tools),
  teardown: (run, step) => run.provider.close(step),
};

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
