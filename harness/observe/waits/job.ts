/** How Jobs end. */
import { waitFor } from '../../core/deadline.ts';
import type { KubeClient, ObjectRef } from '../../kube/api/client.ts';
import type { Workload } from '../../kube/api/types.ts';
import type { WaitLimits } from './limits.ts';

/**
 * Waits until a Job is complete. Default limit 180 000 ms.
 *
 * @throws WaitTimeout with its conditions, early when it has failed or does not exist
 */
export function jobComplete(
  kube: KubeClient,
  { name, namespace }: ObjectRef,
  wait: WaitLimits = {},
): Promise<Workload> {
  return waitFor<Workload>({
    what: `Job ${name} to complete`,
    timeoutMs: 180_000,
    ...wait,
    look: async () => {
      const job = await kube.get('Job', { name, namespace }, { signal: wait.signal });
      if (!job) return { done: false, seen: 'no such Job', hopeless: 'it does not exist' };
      const holding = (job.status?.conditions ?? []).filter(({ status }) => status === 'True');
      if (holding.some(({ type }) => type === 'Complete')) return { done: true, value: job };
      const seen = holding.map(({ type }) => type).join(', ') || 'no condition';
      const failed = holding.find(({ type }) => type === 'Failed');
      if (!failed) return { done: false, seen };
      const why = failed.message ?? failed.reason ?? 'no reason is given';
      return { done: false, seen, hopeless: `it has failed: ${why}` };
    },
  });
}
