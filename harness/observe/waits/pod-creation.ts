/** How controllers create pods, and how the scheduler places them. */
import { waitFor } from '../../core/deadline.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Pod } from '../../kube/api/types.ts';
import type { WorkloadRef } from '../../kube/api/workload-pods.ts';
import { ownPods } from '../../kube/api/workload-pods.ts';
import { creationRefused } from '../diagnose/hopeless.ts';
import type { WaitLimits } from './limits.ts';
import { eventsAbout } from './rollout.ts';

/**
 * Waits until a workload has a pod that is none of `others` and is not being deleted. Default limit 120 000 ms.
 *
 * @throws WaitTimeout with the pods that exist, early when the API server keeps refusing new ones
 */
export function podCreated(
  kube: KubeClient,
  { kind, name, namespace }: WorkloadRef,
  { others = [], ...wait }: WaitLimits & { others?: readonly Pod[] } = {},
): Promise<Pod> {
  const known = new Set(others.map(({ metadata }) => metadata.uid));
  const { signal } = wait;
  return waitFor<Pod>({
    what: `a ${others.length === 0 ? '' : 'new '}pod of ${kind} ${name}`,
    timeoutMs: 120_000,
    ...wait,
    look: async (now) => {
      const [found, pods, replicaSets] = await Promise.all([
        kube.get(kind, { name, namespace }, { signal }),
        kube.list('Pod', { namespace, signal }),
        kind === 'Deployment' ? kube.list('ReplicaSet', { namespace, signal }) : [],
      ]);
      if (!found) return { done: false, seen: `${kind} ${name} does not exist` };
      const own = ownPods({ ...found, kind }, pods, replicaSets);
      const pod = own.find(
        ({ metadata }) => metadata.deletionTimestamp === undefined && !known.has(metadata.uid),
      );
      if (pod) return { done: true, value: pod };
      const events = await kube.list('Event', { namespace, signal });
      const refusal = creationRefused(eventsAbout(events, { ...found, kind }, replicaSets, own), own, now);
      const seen = `${own.length} pods, none of them new`;
      return refusal === undefined ? { done: false, seen } : { done: false, seen, hopeless: refusal };
    },
  });
}

/**
 * Waits until the scheduler has placed `count` pods, and returns them. Pods that a kubelet has rejected are left out: their
 * controller replaces them. Default limit 60 000 ms.
 *
 * @throws WaitTimeout with the number of placed pods
 */
export function podsScheduled(
  kube: KubeClient,
  pods: { namespace: string; labelSelector: string },
  count: number,
  wait: WaitLimits = {},
): Promise<Pod[]> {
  return waitFor<Pod[]>({
    what: `${count} pods with ${pods.labelSelector} to be scheduled`,
    timeoutMs: 60_000,
    ...wait,
    look: async () => {
      const all = await kube.list('Pod', { ...pods, signal: wait.signal });
      const placed = all.filter(
        ({ spec, status }) => spec.nodeName !== undefined && status?.phase !== 'Failed',
      );
      return placed.length === count
        ? { done: true, value: placed }
        : { done: false, seen: `${placed.length} of ${count}` };
    },
  });
}
