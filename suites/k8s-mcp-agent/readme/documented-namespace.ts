/** The namespace that the document names. The name is fixed, so one check at a time uses it. */
import { waitFor } from '../../../harness/core/deadline.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';

export const DOCUMENTED_NAMESPACE = 'gpu-diagnostics';

/** Settles when the checks that have asked for the namespace so far have ended. */
let earlier: Promise<unknown> = Promise.resolve();

/**
 * Waits until no other check of this run uses the namespace, and it does not exist. The check has it until its teardown has ended.
 *
 * @throws CheckSkipped when it is someone else's; WaitTimeout
 */
export async function reserveDocumentedNamespace(lab: Pick<Lab, 'defer'>, kube: KubeClient): Promise<void> {
  const before = earlier;
  const own = new Promise<void>((resolve) => {
    // Deferred first, so that it comes after everything else that the check undoes.
    lab.defer(`leave namespace ${DOCUMENTED_NAMESPACE} to other checks`, () => {
      resolve();
      return Promise.resolve();
    });
  });
  // A check that is aborted while it waits does not let the next one in.
  earlier = Promise.all([before, own]);
  await before;
  await documentedNamespaceGone(kube);
}

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
