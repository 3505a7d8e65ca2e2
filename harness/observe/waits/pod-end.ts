/** How pods end, and how others take their place. */
import { waitFor } from '../../core/deadline.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Pod } from '../../kube/api/types.ts';
import type { WaitLimits } from './limits.ts';

/** Beyond the grace period: for a busy kubelet. */
const SLACK_MS = 60_000;

export interface PodGoneWait extends WaitLimits {
  /** Pause between two looks; default 250 ms. */
  intervalMs?: number;
  /** Awaited after every look at a pod that still exists. */
  meanwhile?: () => Promise<void>;
}

/**
 * Waits until a pod no longer exists. Another pod of the same name, as a StatefulSet creates it, counts as gone.
 * Default limit: the grace period and 60 s.
 *
 * @throws WaitTimeout with the pod's phase
 */
export function podGone(kube: KubeClient, pod: Pod, { meanwhile, ...wait }: PodGoneWait = {}): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  return waitFor<undefined>({
    what: `pod ${name} to be gone`,
    timeoutMs: graceMs(pod) + SLACK_MS,
    ...wait,
    look: async () => {
      const now = await kube.get('Pod', { name, namespace }, { signal: wait.signal });
      if (!now || now.metadata.uid !== uid) return { done: true, value: undefined };
      await meanwhile?.();
      const terminating = now.metadata.deletionTimestamp !== undefined;
      return {
        done: false,
        seen: terminating ? 'terminating' : `${now.status?.phase ?? 'new'}, not deleted`,
      };
    },
  });
}

/**
 * Waits until deleted pods are gone and their namespace has `count` other pods that a controller owns, ready or not.
 * Default limit: the longest grace period and 60 s.
 *
 * @param count how many pods the workloads had before
 * @throws WaitTimeout with the number of old and of other pods
 */
export function podsReplaced(
  kube: KubeClient,
  deleted: readonly Pod[],
  count: number,
  wait: WaitLimits = {},
): Promise<void> {
  const namespace = deleted[0]?.metadata.namespace;
  const old = new Set(deleted.map(({ metadata }) => metadata.uid));
  return waitFor<undefined>({
    what: `the ${old.size} deleted pods to be replaced`,
    timeoutMs: Math.max(0, ...deleted.map(graceMs)) + SLACK_MS,
    ...wait,
    look: async () => {
      const pods = await kube.list('Pod', { namespace, signal: wait.signal });
      const owned = pods.filter(({ metadata }) => metadata.ownerReferences !== undefined);
      const left = owned.filter(({ metadata }) => old.has(metadata.uid)).length;
      const others = owned.length - left;
      return left === 0 && others >= count
        ? { done: true, value: undefined }
        : { done: false, seen: `${left} of them still exist, ${others} others` };
    },
  });
}

function graceMs({ spec }: Pod): number {
  return (spec.terminationGracePeriodSeconds ?? 30) * 1000;
}
