/** The quiet that a check needs which runs alone. */
import type { Clock } from '../../core/deadline.ts';
import { waitFor } from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { RUN_LABEL } from '../../core/run-id.ts';

/** Pods may use their grace periods, all of them at once. */
export const QUIET_MS = 120_000;

/**
 * Waits until what earlier checks of the run have left behind has gone: a namespace is deleted without waiting for its pods, and the
 * end of many pods takes the time that a check which runs alone is to have for itself. Never fails: when it takes too long the check goes
 * on, and what is wrong with the cluster it will tell itself.
 */
export async function untilQuiet(
  kube: Pick<KubeClient, 'list'>,
  runId: string,
  { log, signal, clock }: { log: Log; signal?: AbortSignal; clock?: Clock },
): Promise<void> {
  try {
    await waitFor({
      what: 'the namespaces of earlier checks to be gone',
      timeoutMs: QUIET_MS,
      intervalMs: 500,
      ...(clock && { clock }),
      signal,
      look: async () => {
        const all = await kube.list('Namespace', { labelSelector: `${RUN_LABEL}=${runId}`, signal });
        const going = all.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
        if (going.length === 0) return { done: true, value: undefined };
        return { done: false, seen: going.map(({ metadata }) => metadata.name).join(', ') };
      },
    });
  } catch (error) {
    log.warn('a check that runs alone may have company', { reason: messageOf(error) });
  }
}
