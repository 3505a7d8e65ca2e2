/** How a single pod starts, or fails to be scheduled. */
import { systemClock, waitFor } from '../../core/deadline.ts';
import type { KubeClient, ObjectRef } from '../../kube/api/client.ts';
import { hasCondition } from '../../kube/api/objects.ts';
import type { KubeEvent, Pod } from '../../kube/api/types.ts';
import { explainPod } from '../diagnose/explain/pod.ts';
import { schedulerMessage } from '../diagnose/explain/scheduling.ts';
import { hopeless } from '../diagnose/hopeless.ts';
import type { WaitLimits } from './limits.ts';

/** Default limit 150 000 ms. */
export interface PodWait extends WaitLimits {
  /** Set to `false` when something that prevents the start will be fixed meanwhile; default true. */
  giveUpEarly?: boolean;
}

/** For a busy node; a start that cannot succeed ends the wait earlier. */
const TIMEOUT_MS = 150_000;

/**
 * Waits until a pod is Ready, which is more than Running: its readiness probe, if it has one, has succeeded.
 *
 * @throws WaitTimeout with the message of scheduler or kubelet, early when the pod has ended, is being deleted or can never start
 */
export function podReady(kube: KubeClient, { name, namespace }: ObjectRef, wait: PodWait = {}): Promise<Pod> {
  const { clock = systemClock, signal, giveUpEarly = true } = wait;
  return waitFor<Pod>({
    what: `pod ${name} to be ready`,
    timeoutMs: TIMEOUT_MS,
    ...wait,
    look: async (now) => {
      const pod = await kube.get('Pod', { name, namespace }, { signal });
      if (!pod) return { done: false, seen: 'no such pod', hopeless: 'the pod is gone' };
      if (isReady(pod)) return { done: true, value: pod };
      const fieldSelector = `involvedObject.name=${name}`;
      const events = await kube.list('Event', { namespace, fieldSelector, signal });
      const seen = stateOf(pod, events, clock.now());
      const end = endOf(pod) ?? (giveUpEarly ? hopeless([pod], events, now) : undefined);
      return end === undefined ? { done: false, seen } : { done: false, seen, hopeless: end };
    },
  });
}

/**
 * Waits until the scheduler reports why it cannot schedule a pod, and returns its message. Default limit 150 000 ms.
 *
 * @param wait.message the scheduler's message has to match this, for a pod that may first be unschedulable for another reason
 * @throws WaitTimeout with the scheduler's last message, early when the pod was scheduled
 */
export function podUnschedulable(
  kube: KubeClient,
  { name, namespace }: ObjectRef,
  wait: WaitLimits & { message?: RegExp } = {},
): Promise<string> {
  const { message: wanted, ...limits } = wait;
  return waitFor<string>({
    what: `pod ${name} to be unschedulable`,
    timeoutMs: TIMEOUT_MS,
    ...limits,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace }, { signal: wait.signal });
      const node = pod?.spec.nodeName;
      if (node !== undefined) return { done: false, seen: `it is on ${node}`, hopeless: 'it was scheduled' };
      const condition = pod?.status?.conditions?.find((c) => c.type === 'PodScheduled');
      if (condition?.status !== 'False')
        return { done: false, seen: 'the scheduler has not processed it yet' };
      const { message = '' } = condition;
      return wanted === undefined || wanted.test(message)
        ? { done: true, value: message }
        : { done: false, seen: message };
    },
  });
}

/** Ready and not being deleted. */
export function isReady(pod: Pod): boolean {
  return hasCondition(pod, 'Ready') && pod.metadata.deletionTimestamp === undefined;
}

function stateOf(pod: Pod, events: readonly KubeEvent[], now: number): string {
  const { phase = 'new' } = pod.status ?? {};
  const world = { namespace: '', now, pods: [pod], events, workloads: [], services: [], slices: [] };
  // Quotes the scheduler, because callers search its message for the name of an extended resource.
  const refusal = pod.spec.nodeName === undefined ? schedulerMessage(pod, world) : undefined;
  const reason = refusal ?? explainPod(pod, world)?.says;
  return reason === undefined ? phase : `${phase}: ${reason}`;
}

/** States from which a pod never becomes ready. */
function endOf({ metadata, status }: Pod): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  return status?.phase === 'Failed' || status?.phase === 'Succeeded' ? 'it has ended' : undefined;
}
