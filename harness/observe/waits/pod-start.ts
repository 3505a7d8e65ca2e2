/** How a single pod starts, or is kept from it. */
import type { WaitOptions } from '../../core/deadline.ts';
import { systemClock, waitFor } from '../../core/deadline.ts';
import { explainPod } from '../diagnose/explain-pod.ts';
import { schedulerSays } from '../diagnose/explain-scheduling.ts';
import { hopeless } from '../diagnose/hopeless.ts';
import { hasCondition } from '../../kube/api/conditions.ts';
import type { KubeClient, ObjectRef } from '../../kube/api/client.ts';
import type { KubeEvent, Pod } from '../../kube/api/types.ts';

/** `what` completes the sentence "waited for …"; by default it names the pod. Default limit 150 000 ms. */
export interface PodWait extends Partial<Pick<WaitOptions<Pod>, 'what' | 'timeoutMs' | 'signal' | 'clock'>> {
  /** `false`: what would keep the pod from starting for good is being put right. Default true. */
  giveUpEarly?: boolean;
}

/** For a node that is busy; who can see that waiting is in vain gives up before. */
const TIMEOUT_MS = 150_000;

/**
 * Waits until a pod is Ready, which is more than Running: its readiness probe, if it has one, has succeeded.
 *
 * @throws WaitTimeout with the scheduler's or the node's words, early when it has ended, is being deleted or can never start
 */
export function podReady(kube: KubeClient, { name, namespace }: ObjectRef, wait: PodWait = {}): Promise<Pod> {
  const { clock = systemClock, signal, giveUpEarly = true } = wait;
  return waitFor<Pod>({
    what: `pod ${name} to be ready`,
    timeoutMs: TIMEOUT_MS,
    ...wait,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace }, { signal });
      if (!pod) return { done: false, seen: 'no such pod', hopeless: 'it is gone' };
      if (isReady(pod)) return { done: true, value: pod };
      const fieldSelector = `involvedObject.name=${name}`;
      const events = await kube.list('Event', { namespace, fieldSelector, signal });
      const seen = stateOf(pod, events, clock.now());
      const end = endOf(pod) ?? (giveUpEarly ? hopeless([pod], events, clock.now()) : undefined);
      return end === undefined ? { done: false, seen } : { done: false, seen, hopeless: end };
    },
  });
}

/**
 * Waits until the scheduler says why it cannot place a pod, and returns its words.
 *
 * @throws WaitTimeout, early when the pod was placed all the same
 */
export function podRefused(
  kube: KubeClient,
  { name, namespace }: ObjectRef,
  wait: PodWait = {},
): Promise<string> {
  return waitFor<string>({
    what: `the scheduler to refuse pod ${name}`,
    timeoutMs: TIMEOUT_MS,
    ...wait,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace }, { signal: wait.signal });
      const node = pod?.spec.nodeName;
      if (node !== undefined) return { done: false, seen: `it is on ${node}`, hopeless: 'it was placed' };
      const condition = pod?.status?.conditions?.find((c) => c.type === 'PodScheduled');
      return condition?.status === 'False'
        ? { done: true, value: condition.message ?? '' }
        : { done: false, seen: 'not looked at yet' };
    },
  });
}

/** Ready, and not told to go. */
export function isReady(pod: Pod): boolean {
  return hasCondition(pod, 'Ready') && pod.metadata.deletionTimestamp === undefined;
}

function stateOf(pod: Pod, events: readonly KubeEvent[], now: number): string {
  const { phase = 'new' } = pod.status ?? {};
  const world = { namespace: '', now, pods: [pod], events, workloads: [], services: [], slices: [] };
  // The scheduler is quoted: whoever waits for a resource of its own looks for its name.
  const refusal = pod.spec.nodeName === undefined ? schedulerSays(pod, world) : undefined;
  const words = refusal ?? explainPod(pod, world)?.says;
  return words === undefined ? phase : `${phase}: ${words}`;
}

/** What no pod comes back from. */
function endOf({ metadata, status }: Pod): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  return status?.phase === 'Failed' || status?.phase === 'Succeeded' ? 'it has ended' : undefined;
}
