/** The namespace that the document names. Its name is fixed, so whoever uses it does so alone. */
import { waitFor } from '../../harness/core/deadline.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { CheckSkipped } from '../../harness/run/suite/check.ts';

export const DOCUMENTED_NAMESPACE = 'gpu-diagnostics';

/**
 * Waits until there is no such namespace: one that is going already, after another check, takes a while.
 *
 * @throws CheckSkipped where it is there to stay, and so belongs to somebody
 * @throws WaitTimeout
 */
export function documentedNamespaceGone(kube: KubeClient): Promise<void> {
  return waitFor({
    what: `namespace ${DOCUMENTED_NAMESPACE} to be gone`,
    timeoutMs: 120_000,
    look: async () => {
      const found = await kube.get('Namespace', { name: DOCUMENTED_NAMESPACE });
      if (!found) return { done: true, value: undefined };
      if (found.metadata.deletionTimestamp === undefined) {
        throw new CheckSkipped(`namespace ${DOCUMENTED_NAMESPACE} is there already, and not of this run`);
      }
      return { done: false, seen: 'it is being deleted' };
    },
  });
}
