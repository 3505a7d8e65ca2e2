/** The namespace that the document names. The name is fixed, so only exclusive checks use it. */
import { waitFor } from '../../../harness/core/deadline.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';

export const DOCUMENTED_NAMESPACE = 'gpu-diagnostics';

/**
 * Waits until the namespace does not exist: an earlier check may have deleted it only just before.
 *
 * @throws CheckSkipped when it exists and is not being deleted, and so belongs to someone else; WaitTimeout
 */
export function documentedNamespaceGone(kube: KubeClient): Promise<void> {
  return waitFor({
    what: `namespace ${DOCUMENTED_NAMESPACE} to be gone`,
    timeoutMs: 120_000,
    look: async () => {
      const found = await kube.get('Namespace', { name: DOCUMENTED_NAMESPACE });
      if (!found) return { done: true, value: undefined };
      if (found.metadata.deletionTimestamp === undefined) {
        throw new CheckSkipped(`namespace ${DOCUMENTED_NAMESPACE} exists already and is not of this run`);
      }
      return { done: false, seen: 'it is being deleted' };
    },
  });
}
