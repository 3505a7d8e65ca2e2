/** How many pods a DaemonSet wants and has. */
import { waitFor } from '../../core/deadline.ts';
import type { KubeClient, ObjectRef } from '../../kube/api/client.ts';
import type { WaitLimits } from './limits.ts';

/**
 * Waits until a DaemonSet's controller wants pods on that many nodes: it has then processed the last change of a node. It does not
 * process every one: that of Kubernetes 1.36 ignores a new NoSchedule taint until the node's pod is gone. Default limit 60 000 ms.
 *
 * @throws WaitTimeout with the present number, early when there is no such DaemonSet
 */
export function daemonSetDesired(
  kube: KubeClient,
  { name, namespace }: ObjectRef,
  nodes: number,
  wait: WaitLimits = {},
): Promise<void> {
  return waitFor<undefined>({
    what: `DaemonSet ${name} to want ${nodes} pods`,
    timeoutMs: 60_000,
    ...wait,
    look: async () => {
      const found = await kube.get('DaemonSet', { name, namespace }, { signal: wait.signal });
      if (!found) return { done: false, seen: 'it does not exist', hopeless: 'no such DaemonSet' };
      const desired = found.status?.desiredNumberScheduled ?? 0;
      return desired === nodes
        ? { done: true, value: undefined }
        : { done: false, seen: `it wants ${desired}` };
    },
  });
}

/**
 * Waits until a DaemonSet has a ready pod on every node that it wants one on, and returns their number. Default limit 120 000 ms.
 *
 * @throws WaitTimeout with the number of ready pods, early when there is no such DaemonSet
 */
export function daemonSetReady(
  kube: KubeClient,
  { name, namespace }: ObjectRef,
  wait: WaitLimits = {},
): Promise<number> {
  return waitFor<number>({
    what: `DaemonSet ${name} in ${namespace ?? 'default'} to be ready`,
    timeoutMs: 120_000,
    ...wait,
    look: async () => {
      const found = await kube.get('DaemonSet', { name, namespace }, { signal: wait.signal });
      if (!found) return { done: false, seen: 'it does not exist', hopeless: 'no such DaemonSet' };
      const { desiredNumberScheduled: desired = 0, numberReady: ready = 0 } = found.status ?? {};
      return desired > 0 && ready === desired
        ? { done: true, value: ready }
        : { done: false, seen: `${ready} of ${desired} ready` };
    },
  });
}
