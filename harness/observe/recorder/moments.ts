/** Derives readable moments of every pod from the states and events that the watch delivered. */
import type { KubeEvent, Pod } from '../../kube/api/types.ts';
import type { ContainerStep, PodStep } from './container-steps.ts';
import { hasCondition } from '../../kube/api/objects.ts';
import { containerSteps, describeEnd, podSteps } from './container-steps.ts';
import type { PodMoment, RecordedChange } from './change.ts';
import { eventCount } from './events.ts';

type Line = Pick<PodMoment, 'kind' | 'text' | 'warning' | 'container'>;

/** Reasons for which every starting container waits. */
const ORDINARY_WAITS = new Set(['ContainerCreating', 'PodInitializing']);

/** All moments of all pods in the order of arrival; a repeated event is one moment with its last count. */
export function momentsOf(changes: readonly RecordedChange[]): PodMoment[] {
  const steps = new Map(podSteps(changes).map((step) => [step.change.seq, step]));
  const events = new Map<string, PodMoment>();
  const moments: PodMoment[] = [];
  for (const change of changes) {
    const step = steps.get(change.seq);
    if (step) {
      const { at } = change;
      const pod = step.pod.metadata.name;
      moments.push(...podLines(step).map((line) => ({ at, pod, ...line })));
    } else if (change.object.kind === 'Event' && change.type !== 'DELETED') {
      addEvent(change, events, moments);
    }
  }
  return moments;
}

function podLines(step: PodStep): Line[] {
  const { change, pod, before } = step;
  const lines: Line[] = [];
  const add = (kind: PodMoment['kind'], text: string, warning = false): void => {
    lines.push({ kind, text, warning });
  };
  if (!before) add('created', ownerText(pod));
  const { nodeName } = pod.spec;
  if (nodeName !== undefined && before?.spec.nodeName === undefined)
    add('scheduled', `scheduled to ${nodeName}`);
  for (const container of containerSteps(step)) lines.push(...containerLines(container));
  const failed = pod.status?.phase === 'Failed' && before?.status?.phase !== 'Failed';
  if (failed && pod.status?.reason !== undefined) {
    add('terminated', `pod failed: ${pod.status.reason}: ${pod.status.message ?? ''}`, true);
  }
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = hasCondition(pod, 'Ready');
  const wasReady = hasCondition(before, 'Ready');
  if (ready && !wasReady) add('ready', 'pod is ready');
  if (!ready && wasReady) add('unready', 'pod is no longer ready', !terminating);
  if (terminating && before?.metadata.deletionTimestamp === undefined) add('deleting', 'deletion requested');
  if (change.type === 'DELETED') add('deleted', 'deleted');
  return lines;
}

function containerLines(step: ContainerStep): Line[] {
  const { name, init, now, before } = step;
  const lines: Line[] = [];
  const add = (kind: PodMoment['kind'], text: string, warning = false): void => {
    lines.push({ kind, text, warning, container: name });
  };
  const addEnd = (end: (typeof step.ended)[number]): void => {
    const bad = end.exitCode !== 0;
    if (end.reason === 'OOMKilled')
      add('oom-killed', `${name} was killed for using too much memory, ${describeEnd(end)}`, true);
    else if (init) add('init-finished', `init ${name} ended with ${describeEnd(end)}`, bad);
    else add('terminated', `${name} ended with ${describeEnd(end)}`, bad);
  };
  // The restart belongs between the end of the old instance and the state of the new one.
  const current = now.state?.terminated;
  for (const end of step.ended) if (end !== current) addEnd(end);
  if (step.restarts > 0) {
    const times = step.restarts === 1 ? '' : `, ${step.restarts} times since the last update`;
    add('restarted', `${name} restarted (restart ${now.restartCount}${times})`, true);
  }
  if (step.started && (init || step.restarts === 0)) {
    add(init ? 'init-started' : 'started', init ? `init ${name} started` : `${name} started`);
  }
  if (current && step.ended.includes(current)) addEnd(current);
  const waiting = now.state?.waiting;
  const reason = waiting?.reason;
  if (reason !== undefined && reason !== before?.state?.waiting?.reason && !ORDINARY_WAITS.has(reason)) {
    const message = waiting?.message === undefined ? '' : `: ${waiting.message}`;
    add('waiting', `${name} waits: ${reason}${message}`, true);
  }
  if (!init && now.ready && before?.ready !== true) add('ready', `${name} is ready`);
  if (!init && !now.ready && before?.ready === true && now.state?.running)
    add('unready', `${name} is no longer ready`);
  return lines;
}

function addEvent(change: RecordedChange, events: Map<string, PodMoment>, moments: PodMoment[]): void {
  const event = change.object as KubeEvent;
  if (event.involvedObject.kind !== 'Pod' || event.type !== 'Warning') return;
  const count = eventCount(event);
  const text = `${event.reason ?? 'Warning'}: ${event.message ?? ''}${count > 1 ? ` ×${count}` : ''}`;
  const key = event.metadata.uid ?? event.metadata.name;
  const known = events.get(key);
  if (known) {
    known.text = text;
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
