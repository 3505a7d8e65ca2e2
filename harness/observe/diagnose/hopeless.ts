/** States that waiting cannot heal: a wait that sees one gives up early and keeps the minutes. */
import type { KubeEvent, Pod } from '../../kube/api/types.ts';
import { pullMessage, readPullError } from './explain-image.ts';
import { explainPod } from './explain-pod.ts';
import { probeKill } from './explain-probe.ts';
import { schedulerSays } from './explain-scheduling.ts';
import { explainCreation } from './explain-creation.ts';
import { explainMount } from './explain-volumes.ts';
import { isAboutNodes, parseSchedulerMessage } from './scheduler-message.ts';
import { count, timeOf } from '../../core/wording.ts';
import type { World } from './world.ts';
import { eventCount, eventsOf } from './world.ts';

/** How long a state has to last before it counts as final, in ms. */
const PATIENCE = {
  /** Objects of one release are applied within a second or two of each other. */
  missingReference: 20_000,
  /** When the kubelet's repeated complaint is not among the events, which may be lost. */
  silentComplaint: 60_000,
  /** No node has the label, tolerates the taint, reaches the volume. */
  unfitNodes: 15_000,
  /** What other pods hold may come free, when they leave. */
  fullNodes: 45_000,
  /** CPU and memory are held by every other release, until the last of its pods has used its grace period on a machine that is busy. */
  busyNodes: 90_000,
  failedCreate: 20_000,
  /** A registry that cannot be reached may come back; three quarters of a minute are enough of a sign. */
  unreachableRegistry: 45_000,
} as const;

/**
 * Between the kubelet's first words about something missing and its last, at least, for that to be missing for good: its first two looks
 * come at once, the third after 10 to 15 s.
 */
export const COMPLAINT_SPAN_MS = 8_000;

/** The kubelet's words when it was too busy to look for a ConfigMap or a Secret in time: it looks again. */
const LATE = 'timed out waiting for the condition';
/** The kubelet's words about a ConfigMap, a Secret or a key that is not there. */
const ABSENCE = /not found|non-existent|couldn't find key/;

/**
 * Says why these pods will not become ready by waiting; undefined while there is hope.
 *
 * @param pods the current pods of a workload, not those of an old revision
 * @param events of the namespace, including those of ReplicaSets
 * @param now ms since the epoch
 */
export function hopeless(
  pods: readonly Pod[],
  events: readonly KubeEvent[],
  now: number,
): string | undefined {
  const world: World = { namespace: '', now, pods, events, workloads: [], services: [], slices: [] };
  const leaving = pods.some((p) => p.metadata.deletionTimestamp !== undefined);
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    if (lost(pod, world, leaving)) {
      return `pod ${pod.metadata.name} ${explainPod(pod, world)?.says ?? 'cannot start'}`;
    }
  }
  return refusedCreation(events, pods, now);
}

function lost(pod: Pod, world: World, leaving: boolean): boolean {
  return (
    imageLost(pod, world) ||
    configLost(pod, world) ||
    unschedulable(pod, world, leaving) ||
    crashing(pod, world)
  );
}

function imageLost(pod: Pod, world: World): boolean {
  return statuses(pod).some(({ name, state }) => {
    const waiting = state?.waiting;
    if (waiting?.reason === 'InvalidImageName' || waiting?.reason === 'ErrImageNeverPull') return true;
    if (waiting?.reason !== 'ErrImagePull' && waiting?.reason !== 'ImagePullBackOff') return false;
    const { permanent } = readPullError(pullMessage(pod, name, world) ?? waiting.message ?? '');
    return permanent || ageOf(pod, world) >= PATIENCE.unreachableRegistry;
  });
}

/** Only when the kubelet has looked again and found it still missing: what it said first may have been applied since. */
function configLost(pod: Pod, world: World): boolean {
  const age = ageOf(pod, world);
  if (age < PATIENCE.missingReference) return false;
  if (!complainsAgain(pod, world) && age < PATIENCE.silentComplaint) return false;
  const refused = statuses(pod).flatMap(({ state }) =>
    state?.waiting?.reason === 'CreateContainerConfigError' ? [state.waiting.message ?? ''] : [],
  );
  if (refused.some((message) => !message.includes(LATE))) return true;
  return /does not exist|has no key/.test(explainMount(pod, world)?.says ?? '');
}

function complainsAgain(pod: Pod, world: World): boolean {
  return eventsOf(world.events, { ...pod, kind: 'Pod' }).some(
    ({ message, firstTimestamp, lastTimestamp }) => {
      const [first, last] = [timeOf(firstTimestamp), timeOf(lastTimestamp)];
      if (first === undefined || last === undefined || !ABSENCE.test(message ?? '')) return false;
      return last - first >= COMPLAINT_SPAN_MS;
    },
  );
}

function unschedulable(pod: Pod, world: World, leaving: boolean): boolean {
  const message = pod.spec.nodeName ? undefined : schedulerSays(pod, world);
  const verdict = message === undefined ? undefined : parseSchedulerMessage(message);
  if (!verdict || verdict.available > 0) return false;
  // A claim may still be provisioned; its own events say when it cannot be.
  if (verdict.reasons.some((r) => r.obstacle === 'unbound-claim' || r.obstacle === 'no-volume')) {
    return ageSincePending(pod, world) >= PATIENCE.missingReference && claimRefused(pod, world);
  }
  const age = ageSincePending(pod, world);
  if (verdict.reasons.every((r) => isAboutNodes(r))) return age >= PATIENCE.unfitNodes;
  const busy = verdict.reasons.some(({ detail }) => detail === 'cpu' || detail === 'memory');
  return !leaving && age >= (busy ? PATIENCE.busyNodes : PATIENCE.fullNodes);
}

function ageSincePending(pod: Pod, world: World): number {
  const condition = pod.status?.conditions?.find((c) => c.type === 'PodScheduled');
  return world.now - (timeOf(condition?.lastTransitionTime) ?? world.now);
}

/** The class of one of its claims does not exist. */
function claimRefused(pod: Pod, world: World): boolean {
  const names = (pod.spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? []);
  return names.some((name) =>
    eventsOf(world.events, { kind: 'PersistentVolumeClaim', metadata: { name } }).some((e) =>
      /storageclass\S* "[^"]+" not found/i.test(e.message ?? ''),
    ),
  );
}

function crashing(pod: Pod, world: World): boolean {
  const inits = pod.status?.initContainerStatuses ?? [];
  const failed = (s: (typeof inits)[number]): boolean => {
    const ended = s.state?.terminated ?? s.lastState?.terminated;
    return ended !== undefined && ended.exitCode !== 0 && !s.ready;
  };
  if (inits.some((s) => s.restartCount >= 2 && failed(s))) return true;
  return (pod.status?.containerStatuses ?? []).some((s) => {
    if (s.ready) return false;
    if (s.restartCount >= 3 && s.state?.waiting?.reason === 'CrashLoopBackOff') return true;
    return s.restartCount >= 3 && probeKill(pod, s.name, world.events) !== undefined;
  });
}

/** The API server keeps refusing the pods of a workload, so that there is no pod to look at. */
function refusedCreation(
  events: readonly KubeEvent[],
  pods: readonly Pod[],
  now: number,
): string | undefined {
  const refusals = events.filter((e) => e.reason === 'FailedCreate' && eventCount(e) >= 3);
  for (const event of refusals) {
    const about = event.involvedObject;
    const first = timeOf(event.firstTimestamp) ?? timeOf(event.metadata.creationTimestamp) ?? now;
    const owned = pods.some((p) => p.metadata.ownerReferences?.some((o) => o.name === about.name));
    const created = eventsOf(events, { kind: about.kind, metadata: { name: about.name } }).some(
      (e) => e.reason === 'SuccessfulCreate',
    );
    if (now - first < PATIENCE.failedCreate || owned || created) continue;
    const { says } = explainCreation(event.message ?? '');
    return `${about.kind} ${about.name} ${says} (${count(eventCount(event), 'attempt')})`;
  }
  return undefined;
}

function ageOf(pod: Pod, world: World): number {
  return world.now - (timeOf(pod.status?.startTime) ?? timeOf(pod.metadata.creationTimestamp) ?? world.now);
}

function statuses(pod: Pod): NonNullable<NonNullable<Pod['status']>['containerStatuses']> {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}
