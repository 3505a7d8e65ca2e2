/** States of one container of a pod: init and ephemeral containers included. */
import { waitFor } from '../../core/deadline.ts';
import type { Observation } from '../../core/deadline.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { ContainerState, ContainerStatus, Pod } from '../../kube/api/types.ts';
import type { WaitLimits } from './limits.ts';

/**
 * Waits until a container runs. Default limit 120 000 ms.
 *
 * @throws WaitTimeout with its state, early when it has ended and will not be started again
 */
export function containerRunning(
  kube: KubeClient,
  pod: Pod,
  container: string,
  wait: WaitLimits = {},
): Promise<Pod> {
  const what = `container ${container} of pod ${pod.metadata.name} to run`;
  return untilContainer(kube, pod, container, { what, timeoutMs: 120_000, ...wait }, (status, now) => {
    if (status?.state?.running) return { done: true, value: now };
    const seen = stateText(status?.state);
    return status?.state?.terminated && isFinal(status, now)
      ? { done: false, seen, hopeless: 'it has ended' }
      : { done: false, seen };
  });
}

export interface WaitingState {
  reason: string;
  message: string;
}

/**
 * Waits until a container is waiting to start and its state is the expected one; returns that state. Default limit 120 000 ms.
 *
 * @throws WaitTimeout with its state, early when it has started
 */
export function containerWaiting(
  kube: KubeClient,
  pod: Pod,
  container: string,
  isExpected: (state: WaitingState) => boolean,
  wait: WaitLimits = {},
): Promise<WaitingState> {
  const what = `container ${container} of pod ${pod.metadata.name} to wait`;
  return untilContainer(kube, pod, container, { what, timeoutMs: 120_000, ...wait }, (status) => {
    const { reason = '', message = '' } = status?.state?.waiting ?? {};
    const state = { reason, message };
    if (status?.state?.waiting && isExpected(state)) return { done: true, value: state };
    const seen = stateText(status?.state);
    const started = status && (status.state?.running ?? status.state?.terminated ?? status.restartCount > 0);
    return started
      ? { done: false, seen, hopeless: `container ${container} has started` }
      : { done: false, seen };
  });
}

/**
 * Waits until the kubelet has restarted a container `times` (default 1) more often than the given pod says. Default limit 120 000 ms.
 *
 * @throws WaitTimeout with the number of restarts
 */
export function containerRestarted(
  kube: KubeClient,
  pod: Pod,
  container: string,
  { times = 1, ...wait }: WaitLimits & { times?: number } = {},
): Promise<Pod> {
  const before = statusIn(pod, container)?.restartCount ?? 0;
  const often = times === 1 ? '' : ` ${times} times`;
  const what = `container ${container} of pod ${pod.metadata.name} to be restarted${often}`;
  return untilContainer(kube, pod, container, { what, timeoutMs: 120_000, ...wait }, (status, now) => {
    const restarts = (status?.restartCount ?? 0) - before;
    return restarts >= times
      ? { done: true, value: now }
      : { done: false, seen: `${restarts} restarts, ${stateText(status?.state)}` };
  });
}

/**
 * Waits until a container runs again after its last instance was killed for its memory, and returns how that one ended. The runtime reports
 * the reason OOMKilled apart from the end, sometimes later. Default limit 60 000 ms.
 *
 * @param wait.seenByKernel the caller knows that the kernel killed it. Then exit code 137 is enough: containerd 2.x reads the counter of
 *   the cgroup after the end of the container, and says Error when the cgroup is gone by then
 * @throws WaitTimeout with its last state
 */
export function containerOomKilled(
  kube: KubeClient,
  pod: Pod,
  container: string,
  { seenByKernel = false, ...wait }: WaitLimits & { seenByKernel?: boolean } = {},
): Promise<NonNullable<ContainerState['terminated']>> {
  const what = `container ${container} of pod ${pod.metadata.name} to be restarted as OOMKilled`;
  return untilContainer(kube, pod, container, { what, timeoutMs: 60_000, ...wait }, (status) => {
    const last = status?.lastState?.terminated;
    const isKilled = last && (last.reason === 'OOMKilled' || (seenByKernel && last.exitCode === 137));
    return isKilled && status.state?.running
      ? { done: true, value: last }
      : { done: false, seen: stateText(last ? status.lastState : status?.state) };
  });
}

/** A pod that is gone, or was replaced under its name, ends every such wait early. */
function untilContainer<T>(
  kube: KubeClient,
  { metadata: { name, namespace, uid } }: Pod,
  container: string,
  wait: WaitLimits & { what: string; timeoutMs: number },
  look: (status: ContainerStatus | undefined, pod: Pod) => Observation<T>,
): Promise<T> {
  return waitFor<T>({
    ...wait,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace }, { signal: wait.signal });
      return pod && pod.metadata.uid === uid
        ? look(statusIn(pod, container), pod)
        : { done: false, seen: 'no such pod', hopeless: 'the pod is gone' };
    },
  });
}

function statusIn({ status }: Pod, container: string): ContainerStatus | undefined {
  const {
    initContainerStatuses = [],
    containerStatuses = [],
    ephemeralContainerStatuses = [],
  } = status ?? {};
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].find(
    ({ name }) => name === container,
  );
}

/** Nothing starts this container again: its pod has ended, it is ephemeral, or it is an init container that succeeded. */
function isFinal({ name, state }: ContainerStatus, { spec, status }: Pod): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return true;
  if (status?.ephemeralContainerStatuses?.some((ephemeral) => ephemeral.name === name)) return true;
  const init = spec.initContainers?.find((candidate) => candidate.name === name);
  return init !== undefined && init.restartPolicy !== 'Always' && state?.terminated?.exitCode === 0;
}

function stateText({ waiting, running, terminated }: ContainerState = {}): string {
  if (running) return 'it runs';
  if (terminated)
    return `it ended with exit code ${terminated.exitCode} (${terminated.reason ?? 'no reason'})`;
  if (waiting) return [waiting.reason ?? 'waiting', waiting.message ?? ''].filter(Boolean).join(': ');
  return 'no status';
}
