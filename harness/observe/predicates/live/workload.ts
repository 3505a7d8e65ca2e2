/** The replicas of a workload and the containers of its pods. */
import type { ContainerStatus, Pod, Workload } from '../../../kube/api/types.ts';
import { rolloutGap } from './rollout-gap.ts';
import type { PredicateResult } from '../result.ts';

/**
 * The workload has exactly `wanted` replicas, all of the latest revision, ready and available, each with its own pod.
 *
 * @param pods the workload's own pods, without terminating ones
 */
export function replicas(workload: Workload, pods: readonly Pod[], wanted: number): PredicateResult {
  const daemon = workload.kind === 'DaemonSet';
  const status = workload.status ?? {};
  const asked = daemon ? (status.desiredNumberScheduled ?? 0) : (workload.spec.replicas ?? 1);
  const ready = (daemon ? status.numberReady : status.readyReplicas) ?? 0;
  const available = (daemon ? status.numberAvailable : status.availableReplicas) ?? 0;
  const details: string[] = [];
  if (asked !== wanted) details.push(`the ${workload.kind} asks for ${asked}, not for ${wanted}`);
  if (ready !== wanted) details.push(`${ready} ready`);
  if (pods.length !== wanted)
    details.push(`${pods.length} pods: ${pods.map((p) => p.metadata.name).join(', ')}`);
  const gap = rolloutGap(workload, pods);
  if (gap !== undefined) details.push(gap);
  return {
    ok: available === wanted && details.length === 0,
    expected: `${workload.kind} ${workload.metadata.name}: ${wanted} available`,
    actual: `${available} of ${asked} available`,
    observed: [
      `${workload.kind} ${workload.metadata.name}: ${available} of ${asked} available, ${ready} ready`,
    ],
    details,
  };
}

/** Every container of every pod, sidecars included, is ready. */
export function allContainersReady(pods: readonly Pod[]): PredicateResult {
  const containers = pods.flatMap((pod) =>
    allContainers(pod).map(({ name, status }) => ({
      title: `${pod.metadata.name}/${name}`,
      ready: status?.ready === true,
      says: status ? stateText(status) : 'has no status',
    })),
  );
  const unready = containers.filter((l) => !l.ready);
  return {
    ok: containers.length > 0 && unready.length === 0,
    expected: `all ${containers.length} containers of ${pods.length} pods ready`,
    actual: `${containers.length - unready.length} of ${containers.length} ready`,
    observed: containers.filter((l) => l.ready).map((l) => `${l.title} is ready`),
    details: unready.map((l) => `${l.title} ${l.says}`),
  };
}

/** Main containers and sidecars. */
function allContainers(pod: Pod): { name: string; status: ContainerStatus | undefined }[] {
  const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  return [...pod.spec.containers, ...sidecars].map(({ name }) => ({
    name,
    status: statuses.find((s) => s.name === name),
  }));
}

/** "waiting: CrashLoopBackOff, 4 restarts". */
function stateText({ state, restartCount }: ContainerStatus): string {
  const again = restartCount === 0 ? '' : `, ${restartCount} restarts`;
  if (state?.running) return `runs but is not ready${again}`;
  if (state?.terminated) return `ended with exit code ${state.terminated.exitCode}${again}`;
  return `is waiting: ${state?.waiting?.reason ?? 'no reason'}${again}`;
}

/**
 * A label selector selects exactly these pods: none is missing, and it selects no other.
 *
 * @param selected what the API server returned for the selector
 * @param own the release's pods
 */
export function selectorSelectsExactly(
  selector: string,
  selected: readonly Pod[],
  own: readonly Pod[],
): PredicateResult {
  const names = (pods: readonly Pod[]): string[] => pods.map((p) => p.metadata.name).toSorted();
  const missing = names(own).filter((n) => !names(selected).includes(n));
  const foreign = names(selected).filter((n) => !names(own).includes(n));
  return {
    ok: own.length > 0 && missing.length === 0 && foreign.length === 0,
    expected: `selector ${selector} selects ${names(own).join(', ') || 'at least one pod'}`,
    actual: names(selected).join(', ') || 'no pod',
    observed: [`selector ${selector}: ${selected.length} pods`],
    details: [
      ...missing.map((n) => `does not select the release's pod ${n}`),
      ...foreign.map((n) => `also selects pod ${n}, which is not the release's`),
    ],
  };
}
