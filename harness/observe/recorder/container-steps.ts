/** Derives what happened to pods and containers between two recorded states. */
import { uidOf } from '../../kube/api/objects.ts';
import type { ContainerState, ContainerStatus, Pod } from '../../kube/api/types.ts';
import type { RecordedChange } from './change.ts';

export type Terminated = NonNullable<ContainerState['terminated']>;

/** A recorded state of a pod and the state before it. */
export interface PodStep {
  change: RecordedChange;
  pod: Pod;
  before: Pod | undefined;
}

export interface ContainerStep {
  name: string;
  /** False for a sidecar (`restartPolicy: Always`): it counts as a main container. */
  init: boolean;
  now: ContainerStatus;
  before: ContainerStatus | undefined;
  /** Instances that ended since the previous state, oldest first; an end that several states show is reported once. */
  ended: Terminated[];
  /** Number of restarts since the previous state, by the restart counter. */
  restarts: number;
  /** A new instance is running. */
  started: boolean;
}

export function podSteps(changes: readonly RecordedChange[]): PodStep[] {
  const latest = new Map<string, Pod>();
  const steps: PodStep[] = [];
  for (const change of changes) {
    if (change.object.kind !== 'Pod') continue;
    const pod = change.object as Pod;
    const key = uidOf(pod);
    steps.push({ change, pod, before: latest.get(key) });
    latest.set(key, pod);
  }
  return steps;
}

export function containerSteps({ pod, before }: PodStep): ContainerStep[] {
  return statuses(pod).map(({ status: now, init }) => {
    const earlier = before && statuses(before).find(({ status }) => status.name === now.name)?.status;
    const known = new Set(ends(earlier).map(endKey));
    const startedAt = now.state?.running?.startedAt;
    const restarts = Math.max(0, now.restartCount - (earlier?.restartCount ?? 0));
    return {
      name: now.name,
      init,
      now,
      before: earlier,
      ended: ends(now).filter((end) => !known.has(endKey(end))),
      restarts,
      started:
        now.state?.running !== undefined &&
        (earlier?.state?.running === undefined ||
          startedAt !== earlier.state.running.startedAt ||
          restarts > 0),
    };
  });
}

/** Statuses of all containers, init containers first. */
export function statuses(pod: Pod): { status: ContainerStatus; init: boolean }[] {
  const sidecars = new Set(
    (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name),
  );
  return [
    ...(pod.status?.initContainerStatuses ?? []).map((status) => ({
      status,
      init: !sidecars.has(status.name),
    })),
    ...(pod.status?.containerStatuses ?? []).map((status) => ({ status, init: false })),
  ];
}

/** Ends in a status: of the previous instance, then of the current one. */
function ends(status: ContainerStatus | undefined): Terminated[] {
  return [status?.lastState?.terminated, status?.state?.terminated].filter((t) => t !== undefined);
}

function endKey(end: Terminated): string {
  return end.containerID ?? `${String(end.startedAt)} ${String(end.finishedAt)} ${end.exitCode}`;
}

/** `exit code 137 (OOMKilled)`. */
export function describeEnd(end: Terminated): string {
  // `Completed` and `Error` only repeat the code.
  const informative = end.reason !== undefined && end.reason !== 'Completed' && end.reason !== 'Error';
  const signal = end.signal === undefined || end.signal === 0 ? '' : `, signal ${end.signal}`;
  return `exit code ${end.exitCode}${signal}${informative ? ` (${String(end.reason)})` : ''}`;
}
