/** The namespaces that runs created on a kept or existing cluster. */
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { RUN_LABEL } from '../../harness/core/run-id.ts';

/**
 * Deletes the namespaces of a run, or of all runs, without waiting for their termination.
 *
 * @returns names of the deleted namespaces
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
