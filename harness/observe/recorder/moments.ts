/** The story of every pod in the reader's words, derived from the states that the watch delivered. */
import type { KubeEvent, Pod } from '../../kube/api/types.ts';
import type { ContainerStep, PodStep } from './container-steps.ts';
import { containerSteps, describeEnd, isReady, podSteps } from './container-steps.ts';
import type { PodMoment, RecordedChange } from './change.ts';
import { eventCount } from './warning-events.ts';

type Telling = Pick<PodMoment, 'kind' | 'text' | 'warning' | 'container'>;

/** Waiting for one of these is what every start looks like. */
const ordinaryWaits = new Set(['ContainerCreating', 'PodInitializing']);

/** All moments of all pods in the order of arrival; an event that repeats is one moment with its last count. */
export function tellMoments(changes: readonly RecordedChange[]): PodMoment[] {
  const steps = new Map(podSteps(changes).map((step) => [step.change.seq, step]));
  const events = new Map<string, PodMoment>();
  const moments: PodMoment[] = [];
  for (const change of changes) {
    const step = steps.get(change.seq);
    if (step) {
      const { at } = change;
      const pod = step.pod.metadata.name;
      moments.push(...tellStep(step).map((telling) => ({ at, pod, ...telling })));
    } else if (change.object.kind === 'Event' && change.type !== 'DELETED') {
      tellEvent(change, events, moments);
    }
  }
  return moments;
}

function tellStep(step: PodStep): Telling[] {
  const { change, pod, before } = step;
  const told: Telling[] = [];
  const tell = (kind: PodMoment['kind'], text: string, warning = false): void => {
    told.push({ kind, text, warning });
  };
  if (!before) tell('created', ownerText(pod));
  const { nodeName } = pod.spec;
  if (nodeName !== undefined && before?.spec.nodeName === undefined)
    tell('scheduled', `scheduled to ${nodeName}`);
  for (const container of containerSteps(step)) told.push(...tellContainer(container));
  const failed = pod.status?.phase === 'Failed' && before?.status?.phase !== 'Failed';
  if (failed && pod.status?.reason !== undefined) {
    tell('terminated', `pod failed: ${pod.status.reason}: ${pod.status.message ?? ''}`, true);
  }
  const leaving = pod.metadata.deletionTimestamp !== undefined;
  if (isReady(pod) && !isReady(before)) tell('ready', 'pod is ready');
  if (!isReady(pod) && isReady(before)) tell('unready', 'pod is no longer ready', !leaving);
  if (leaving && before?.metadata.deletionTimestamp === undefined) tell('deleting', 'deletion asked for');
  if (change.type === 'DELETED') tell('deleted', 'deleted');
  return told;
}

function tellContainer(step: ContainerStep): Telling[] {
  const { name, init, now, before } = step;
  const told: Telling[] = [];
  const tell = (kind: PodMoment['kind'], text: string, warning = false): void => {
    told.push({ kind, text, warning, container: name });
  };
  // The counter belongs between the end of the old instance and the state of the new one.
  const current = now.state?.terminated;
  const tellEnd = (end: (typeof step.ended)[number]): void => {
    const bad = end.exitCode !== 0;
    if (end.reason === 'OOMKilled')
      tell('oom-killed', `${name} was killed for using too much memory, ${describeEnd(end)}`, true);
    else if (init) tell('init-finished', `init ${name} ended with ${describeEnd(end)}`, bad);
    else tell('terminated', `${name} ended with ${describeEnd(end)}`, bad);
  };
  for (const end of step.ended) if (end !== current) tellEnd(end);
  if (step.restarts > 0) {
    const times = step.restarts === 1 ? '' : `, ${step.restarts} times since the last update`;
    tell('restarted', `${name} restarted (restart ${now.restartCount}${times})`, true);
  }
  if (step.started && (init || step.restarts === 0)) {
    tell(init ? 'init-started' : 'started', init ? `init ${name} started` : `${name} started`);
  }
  if (current && step.ended.includes(current)) tellEnd(current);
  const waiting = now.state?.waiting;
  const reason = waiting?.reason;
  if (reason !== undefined && reason !== before?.state?.waiting?.reason && !ordinaryWaits.has(reason)) {
    tell(
      'waiting',
      `${name} waits: ${reason}${waiting?.message === undefined ? '' : `: ${waiting.message}`}`,
      true,
    );
  }
  if (!init && now.ready && before?.ready !== true) tell('ready', `${name} is ready`);
  if (!init && !now.ready && before?.ready === true && now.state?.running)
    tell('unready', `${name} is no longer ready`);
  return told;
}

function tellEvent(change: RecordedChange, events: Map<string, PodMoment>, moments: PodMoment[]): void {
  const event = change.object as KubeEvent;
  if (event.involvedObject.kind !== 'Pod' || event.type !== 'Warning') return;
  const count = eventCount(event);
  const text = `${event.reason ?? 'Warning'}: ${event.message ?? ''}${count > 1 ? ` ×${count}` : ''}`;
  const key = event.metadata.uid ?? event.metadata.name;
  const told = events.get(key);
  if (told) {
    told.text = text;
    return;
  }
  const container = /^spec\.(?:initContainers|containers)\{(.+)\}$/.exec(
    event.involvedObject.fieldPath ?? '',
  )?.[1];
  const moment: PodMoment = {
    at: change.at,
    pod: event.involvedObject.name,
    kind: 'event',
    text,
    warning: true,
    ...(container === undefined ? {} : { container }),
  };
  events.set(key, moment);
  moments.push(moment);
}

function ownerText(pod: Pod): string {
  const owner = pod.metadata.ownerReferences?.find((o) => o.controller) ?? pod.metadata.ownerReferences?.[0];
  return owner ? `created by ${owner.kind} ${owner.name}` : 'created';
}
