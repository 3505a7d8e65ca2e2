/** States that waiting cannot fix: a wait that observes one gives up early. */
import type { KubeEvent, Pod } from '../../kube/api/types.ts';
import { pullMessage, readPullError } from './explain/image.ts';
import { explainPod } from './explain/pod.ts';
import { probeKill } from './explain/probe.ts';
import { schedulerMessage } from './explain/scheduling.ts';
import { explainCreation } from './explain/creation.ts';
import { runtimeRefusal } from './explain/runtime-refusal.ts';
import { explainMount, explainSandbox } from './explain/volumes.ts';
import { isAboutNodes, parseSchedulerMessage } from './explain/scheduler-message.ts';
import { count } from '../../core/wording.ts';
import { timeOf } from '../../kube/api/objects.ts';
import type { World } from './world.ts';
import { eventCount } from '../recorder/events.ts';
import { containerStatuses, eventsOf, eventTime, roleOf } from './world.ts';

/** How long a state has to last before it counts as final, in ms. */
const FINAL_AFTER = {
  /** The objects of a release are applied within a second or two. */
  missingReference: 20_000,
  /** When the events lack the kubelet's repeated complaint; events may be lost. */
  unrepeatedComplaint: 60_000,
  /** No node has the label, an accepted taint, or access to the volume. */
  unfitNodes: 15_000,
  /** Resources of other pods become free when these end. */
  fullNodes: 45_000,
  /** Every other release holds CPU and memory until its last pod has ended, on a busy machine after its grace period. */
  busyNodes: 90_000,
  failedCreate: 20_000,
  /** An unreachable registry may recover; after 45 s this is unlikely. */
  unreachableRegistry: 45_000,
} as const;

/**
 * Minimum time between the kubelet's first and last complaint about a missing object: its first two attempts come at once, the third after
 * 10 to 15 s.
 */
export const COMPLAINT_SPAN_MS = 8_000;

/** Message of a kubelet that was too busy to fetch a ConfigMap or Secret in time; it retries. */
const FETCH_TIMEOUT = 'timed out waiting for the condition';
/** Messages of the kubelet about a missing ConfigMap, Secret or key. */
const ABSENCE = /not found|non-existent|couldn't find key/;

/**
 * Why these pods will never become ready; undefined while they may.
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
  const terminating = pods.some((p) => p.metadata.deletionTimestamp !== undefined);
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    if (isLost(pod, world, terminating)) {
      return `pod ${pod.metadata.name} ${explainPod(pod, world)?.says ?? 'cannot start'}`;
    }
  }
  return creationRefused(events, pods, now);
}

function isLost(pod: Pod, world: World, terminating: boolean): boolean {
  return (
    imageLost(pod, world) ||
    configLost(pod, world) ||
    runtimeRefuses(pod, world) ||
    unschedulable(pod, world, terminating) ||
    crashing(pod, world)
  );
}

function imageLost(pod: Pod, world: World): boolean {
  return containerStatuses(pod).some(({ name, state }) => {
    const waiting = state?.waiting;
    if (waiting?.reason === 'InvalidImageName' || waiting?.reason === 'ErrImageNeverPull') return true;
    if (waiting?.reason !== 'ErrImagePull' && waiting?.reason !== 'ImagePullBackOff') return false;
    const { permanent } = readPullError(pullMessage(pod, name, world) ?? waiting.message ?? '');
    return permanent || ageOf(pod, world) >= FINAL_AFTER.unreachableRegistry;
  });
}

/** True when the kubelet has retried and the object is still missing: after its first complaint it may have been applied. */
function configLost(pod: Pod, world: World): boolean {
  const age = ageOf(pod, world);
  if (age < FINAL_AFTER.missingReference) return false;
  if (!complaintRepeated(pod, world) && age < FINAL_AFTER.unrepeatedComplaint) return false;
  const refused = containerStatuses(pod).flatMap(({ state }) =>
    state?.waiting?.reason === 'CreateContainerConfigError' ? [state.waiting.message ?? ''] : [],
  );
  if (refused.some((message) => !message.includes(FETCH_TIMEOUT))) return true;
  return /does not exist|has no key/.test(explainMount(pod, world)?.says ?? '');
}

/** The container runtime has refused a setting of the pod twice or more. Other trouble with a sandbox may pass: a network that starts. */
function runtimeRefuses(pod: Pod, world: World): boolean {
  if (ageOf(pod, world) < FINAL_AFTER.missingReference || !explainSandbox(pod, world)) return false;
  const event = eventsOf(world.events, { ...pod, kind: 'Pod' }).findLast(
    ({ reason }) => reason === 'FailedCreatePodSandBox',
  );
  return event !== undefined && eventCount(event) >= 2 && runtimeRefusal(event.message ?? '') !== undefined;
}

function complaintRepeated(pod: Pod, world: World): boolean {
  return eventsOf(world.events, { ...pod, kind: 'Pod' }).some(
    ({ message, firstTimestamp, lastTimestamp }) => {
      const [first, last] = [timeOf(firstTimestamp), timeOf(lastTimestamp)];
      if (first === undefined || last === undefined || !ABSENCE.test(message ?? '')) return false;
      return last - first >= COMPLAINT_SPAN_MS;
    },
  );
}

function unschedulable(pod: Pod, world: World, terminating: boolean): boolean {
  const message = pod.spec.nodeName ? undefined : schedulerMessage(pod, world);
  const refusal = message === undefined ? undefined : parseSchedulerMessage(message);
  if (!refusal || refusal.available > 0) return false;
  // A claim may still be provisioned; its own events show when it cannot be.
  if (refusal.reasons.some((r) => r.obstacle === 'unbound-claim' || r.obstacle === 'no-volume')) {
    return ageSincePending(pod, world) >= FINAL_AFTER.missingReference && classMissing(pod, world);
  }
  const age = ageSincePending(pod, world);
  if (refusal.reasons.every((r) => isAboutNodes(r))) return age >= FINAL_AFTER.unfitNodes;
  const busy = refusal.reasons.some(({ detail }) => detail === 'cpu' || detail === 'memory');
  return !terminating && age >= (busy ? FINAL_AFTER.busyNodes : FINAL_AFTER.fullNodes);
}

function ageSincePending(pod: Pod, world: World): number {
  const condition = pod.status?.conditions?.find((c) => c.type === 'PodScheduled');
  return world.now - (timeOf(condition?.lastTransitionTime) ?? world.now);
}

/** The StorageClass of one of its claims does not exist. */
function classMissing(pod: Pod, world: World): boolean {
  const names = (pod.spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? []);
  return names.some((name) =>
    eventsOf(world.events, { kind: 'PersistentVolumeClaim', metadata: { name } }).some((e) =>
      /storageclass\S* "[^"]+" not found/i.test(e.message ?? ''),
    ),
  );
}

function crashing(pod: Pod, world: World): boolean {
  return containerStatuses(pod).some((s) => {
    if (s.ready) return false;
    if (roleOf(pod, s.name) === 'init container') {
      const ended = s.state?.terminated ?? s.lastState?.terminated;
      return s.restartCount >= 2 && ended !== undefined && ended.exitCode !== 0;
    }
    if (s.restartCount >= 3 && s.state?.waiting?.reason === 'CrashLoopBackOff') return true;
    return s.restartCount >= 3 && probeKill(pod, s.name, world.events) !== undefined;
  });
}

/**
 * Why the API server keeps refusing the pods of a workload; undefined while it may still admit them.
 *
 * @param pods the current pods of the workload
 * @param now ms since the epoch
 */
export function creationRefused(
  events: readonly KubeEvent[],
  pods: readonly Pod[],
  now: number,
): string | undefined {
  for (const { about, message, attempts, since } of refusalsOf(events)) {
    const owned = pods.some((p) => p.metadata.ownerReferences?.some((o) => o.name === about.name));
    const { says, mayPass = false } = explainCreation(message);
    if (attempts < 3 || now - since < FINAL_AFTER.failedCreate || (owned && mayPass)) continue;
    return `${about.kind} ${about.name} ${says} (${count(attempts, 'attempt')})`;
  }
  return undefined;
}

interface Refusals {
  about: KubeEvent['involvedObject'];
  message: string;
  /** Since the last pod that was created. */
  attempts: number;
  /** ms since the epoch */
  since: number;
}

/** Refusals of one owner for one reason. Most messages name the refused pod, so that each attempt has an event of its own. */
function refusalsOf(events: readonly KubeEvent[]): Refusals[] {
  const found = new Map<string, Refusals>();
  for (const event of events.filter(({ reason }) => reason === 'FailedCreate')) {
    const { involvedObject: about, message = '' } = event;
    const created = lastCreation(about, events);
    if (created > 0 && eventTime(event) <= created) continue;
    const first = timeOf(event.firstTimestamp) ?? eventTime(event);
    // Of attempts before and after that creation, at least the last one was after it.
    const attempts = first > created ? eventCount(event) : 1;
    const key = `${about.kind}/${about.name}: ${message.replace(/pods "[^"]*"/, 'pods')}`;
    const earlier = found.get(key);
    found.set(key, {
      about,
      message,
      attempts: attempts + (earlier?.attempts ?? 0),
      since: Math.min(Math.max(first, created), earlier?.since ?? Infinity),
    });
  }
  return [...found.values()];
}

/** When the owner last created a pod, ms since the epoch; 0 if it never did. */
function lastCreation({ kind, name }: KubeEvent['involvedObject'], events: readonly KubeEvent[]): number {
  const created = eventsOf(events, { kind, metadata: { name } }).findLast(
    ({ reason }) => reason === 'SuccessfulCreate',
  );
  return created ? eventTime(created) : 0;
}

function ageOf(pod: Pod, world: World): number {
  return world.now - (timeOf(pod.status?.startTime) ?? timeOf(pod.metadata.creationTimestamp) ?? world.now);
}
