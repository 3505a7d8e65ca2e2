/** Walks the recorded states of pods and tells what happened to their containers from one state to the next. */
import { hasCondition } from '../../kube/api/conditions.ts';
import type { ContainerState, ContainerStatus, Pod } from '../../kube/api/types.ts';
import type { RecordedChange } from './change.ts';

export type Terminated = NonNullable<ContainerState['terminated']>;

/** One recorded state of a pod beside the one before it. */
export interface PodStep {
  change: RecordedChange;
  pod: Pod;
  before: Pod | undefined;
}

export interface ContainerStep {
  name: string;
  /** An init container that has to end; a sidecar (`restartPolicy: Always`) counts as a main container. */
  init: boolean;
  now: ContainerStatus;
  before: ContainerStatus | undefined;
  /** Instances that ended since the state before, oldest first; an end that two states show is told once. */
  ended: Terminated[];
  /** How often it restarted since the state before, also when nothing but the counter shows it. */
  restarts: number;
  /** A new instance runs now. */
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

/** Identity of an object: names are used again (StatefulSet), uids are not. */
export function uidOf(object: { kind: string; metadata: { uid?: string; name: string } }): string {
  return object.metadata.uid ?? `${object.kind}/${object.metadata.name}`;
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

/** Init containers first, in the order of the pod's specification where it is known. */
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

/** Ends that a status shows: of the previous instance, then of the current one. */
function ends(status: ContainerStatus | undefined): Terminated[] {
  return [status?.lastState?.terminated, status?.state?.terminated].filter((t) => t !== undefined);
}

function endKey(end: Terminated): string {
  return end.containerID ?? `${String(end.startedAt)} ${String(end.finishedAt)} ${end.exitCode}`;
}

/** `exit code 137 (OOMKilled)`. */
export function describeEnd(end: Terminated): string {
  // `Completed` and `Error` only repeat the code.
  const tellsMore = end.reason !== undefined && end.reason !== 'Completed' && end.reason !== 'Error';
  const signal = end.signal === undefined || end.signal === 0 ? '' : `, signal ${end.signal}`;
  return `exit code ${end.exitCode}${signal}${tellsMore ? ` (${String(end.reason)})` : ''}`;
}

/** Whether the Ready condition of a pod holds. */
export function isReady(pod: Pod | undefined): boolean {
  return hasCondition(pod, 'Ready');
}
