/** The namespaces that runs have made on a cluster which stays. */
import type { KubeClient } from '../harness/kube/api/client.ts';
import { RUN_LABEL } from '../harness/core/run-id.ts';

/**
 * Deletes the namespaces of a run, or of all runs, without waiting until they are gone.
 *
 * @returns their names
 */
export async function deleteRunNamespaces(kube: KubeClient, run?: string): Promise<string[]> {
  const namespaces = (await kube.list('Namespace', { labelSelector: RUN_LABEL })).filter(
    ({ metadata }) =>
      metadata.deletionTimestamp === undefined &&
      (run === undefined ? RUN_LABEL in (metadata.labels ?? {}) : metadata.labels?.[RUN_LABEL] === run),
  );
  for (const { metadata } of namespaces) await kube.delete('Namespace', { name: metadata.name });
  return namespaces.map(({ metadata }) => metadata.name);
}
