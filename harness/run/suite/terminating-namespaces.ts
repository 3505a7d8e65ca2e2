/** What an exclusive check waits for before it starts. */
import type { Clock } from '../../core/deadline.ts';
import { waitFor } from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { RUN_LABEL } from '../../core/run-id.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { whyTerminating } from '../../kube/api/terminating.ts';

/** Pods use their grace periods, all at the same time, where the run may not end them (deleteNamespace). */
export const NAMESPACES_GONE_MS = 120_000;

/**
 * Waits until the namespaces that earlier checks have deleted are gone. Namespaces are deleted without waiting for their pods, and
 * many terminating pods would slow down an exclusive check.
 *
 * Never throws; on timeout the check proceeds and reports cluster problems itself.
 */
export async function terminatingNamespacesGone(
  kube: Pick<KubeClient, 'list'>,
  runId: string,
  { log, signal, clock }: { log: Log; signal?: AbortSignal; clock?: Clock },
): Promise<void> {
  try {
    await waitFor({
      what: 'the namespaces of earlier checks to be gone',
      timeoutMs: NAMESPACES_GONE_MS,
      intervalMs: 500,
      ...(clock && { clock }),
      signal,
      look: async () => {
        const all = await kube.list('Namespace', { labelSelector: `${RUN_LABEL}=${runId}`, signal });
        const terminating = all.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
        if (terminating.length === 0) return { done: true, value: undefined };
        const each = terminating.map((one) => `${one.metadata.name} (${whyTerminating(one) ?? ''})`);
        return { done: false, seen: each.join(', ') };
      },
    });
  } catch (error) {
    log.warn('exclusive check started while namespaces were still terminating', { reason: messageOf(error) });
  }
}
