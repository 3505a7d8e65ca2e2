/** How many replicas a Deployment asks for. */
import { waitFor } from '../../core/deadline.ts';
import type { KubeClient, ObjectRef } from '../../kube/api/client.ts';
import type { WaitLimits } from './limits.ts';

/**
 * Waits until a Deployment asks for `wanted` replicas, or for another number than `wanted.not`; returns the number.
 * Its pods are not waited for. Default limit 60 000 ms.
 *
 * @throws WaitTimeout with the present number, early when there is no such Deployment
 */
export function deploymentScaled(
  kube: KubeClient,
  { name, namespace }: ObjectRef,
  wanted: number | { not: number },
  wait: WaitLimits = {},
): Promise<number> {
  const goal = typeof wanted === 'number' ? `to ${wanted}` : `to another number than ${wanted.not}`;
  return waitFor<number>({
    what: `Deployment ${name} to be scaled ${goal}`,
    timeoutMs: 60_000,
    ...wait,
    look: async () => {
      const found = await kube.get('Deployment', { name, namespace }, { signal: wait.signal });
      if (!found) return { done: false, seen: 'no such Deployment', hopeless: 'it does not exist' };
      const replicas = found.spec.replicas ?? 1;
      const holds = typeof wanted === 'number' ? replicas === wanted : replicas !== wanted.not;
      return holds ? { done: true, value: replicas } : { done: false, seen: `${replicas} replicas` };
    },
  });
}
