/** Marks the CustomResourceDefinitions that an installation brings along. */
import type { KubeClient } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import type { ChartSource, Helm } from '../helm/types.ts';
import { RUN_LABEL } from '../../core/run-id.ts';
import type { DeployTarget } from './claim-object.ts';

const DEFINITION = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };

/**
 * Helm installs what is in `crds/` without its own labels and never removes it. Gives the run's label to those definitions of the chart
 * that were not there before, so that the end of the run can remove them; also when the installation fails.
 */
export async function withMarkedDefinitions<T>(
  { kube, runId }: DeployTarget,
  helm: Pick<Helm, 'definitions'>,
  { chart }: Pick<ChartSource, 'chart'>,
  install: () => Promise<T>,
): Promise<T> {
  const before = await namesOf(kube);
  const mark = async (): Promise<void> => {
    const added = (await namesOf(kube)).filter((name) => !before.includes(name));
    // Somebody else may have added it meanwhile.
    const ofChart = added.length === 0 ? [] : await helm.definitions(chart);
    for (const name of added.filter((one) => ofChart.includes(one))) {
      await kube.teardown.patch(DEFINITION, { name }, { metadata: { labels: { [RUN_LABEL]: runId } } });
    }
  };
  try {
    return await install();
  } finally {
    // What stays without a label is reported at the end of the run; the result of the installation matters more.
    await mark().catch(() => {});
  }
}

/** Empty for a user who may not list them. */
async function namesOf(kube: KubeClient): Promise<string[]> {
  try {
    const found = await kube.teardown.list(DEFINITION, { metadataOnly: true });
    return found.map(({ metadata }) => metadata.name);
  } catch (error) {
    if (error instanceof ApiError) return [];
    throw error;
  }
}
