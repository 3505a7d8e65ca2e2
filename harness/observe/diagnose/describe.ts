/** A text page about a namespace: the problems first, then each workload, pod, Service and node in a few lines. */
import type { ContainerStatus, Pod } from '../../kube/api/types.ts';
import { explain } from './explain.ts';
import { exitText } from './explain/exit-code.ts';
import { nodeTrouble } from './explain/node.ts';
import { workloadState } from './explain/workload.ts';
import { taintText } from './node-fit.ts';
import { clip, logTail } from '../../core/wording.ts';
import type { World } from './world.ts';
import { eventCount } from '../recorder/events.ts';
import { containerStatuses, eventsOf, failedLog, roleOf } from './world.ts';

export function describeWorld(world: World): string {
  const sections = [
    [`Namespace ${world.namespace}, read at ${new Date(world.now).toISOString()}`],
    titled('What is wrong', whatIsWrong(world)),
    titled(
      'Workloads',
      world.workloads
        .filter((w) => w.kind !== 'ReplicaSet')
        .map((w) => `${w.kind} ${w.metadata.name}: ${workloadState(w) ?? 'complete'}`),
    ),
    titled(
      'Pods',
      world.pods.flatMap((p) => describePod(p, world)),
    ),
    titled(
      'Services',
      world.services.map((s) => `${s.metadata.name}: ${readyAddresses(s.metadata.name, world)}`),
    ),
    titled(
      'Nodes',
      (world.nodes ?? []).map((n) => {
        const taints = (n.spec.taints ?? []).map(taintText).join(', ');
        return `${n.metadata.name}: ${nodeTrouble(n) ?? 'Ready'}${taints === '' ? '' : `, taints ${taints}`}`;
      }),
    ),
  ];
  return (
    sections
      .filter((s) => s.length > 0)
      .map((s) => s.join('\n'))
      .join('\n\n') + '\n'
  );
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function whatIsWrong(world: World): string[] {
  const chains = explain(world);
  if (chains.length === 0) return ['no problem found'];
  return chains.flatMap((chain) => [
    ...chain.causes.map((c, i) => `${'  '.repeat(i)}${c.object} ${c.says}`),
    ...(chain.hint === undefined ? [] : [`${'  '.repeat(chain.causes.length)}→ ${chain.hint}`]),
  ]);
}

function describePod(pod: Pod, world: World): string[] {
  const where = pod.spec.nodeName ? `on ${pod.spec.nodeName}` : 'on no node';
  const deleting = pod.metadata.deletionTimestamp === undefined ? '' : ', being deleted';
  const containers = containerStatuses(pod).map((s) => containerLine(s, roleOf(pod, s.name)));
  const logs = containerStatuses(pod).flatMap((s) => {
    const tail = s.ready ? undefined : logTail(failedLog(world, pod.metadata.name, s.name), 5);
    return tail === undefined ? [] : [`log of ${s.name} ends: ${tail}`];
  });
  const events = eventsOf(world.events, { ...pod, kind: 'Pod' })
    .filter((e) => e.type === 'Warning')
    .slice(-5)
    .map((e) => `${e.reason ?? ''} ×${eventCount(e)}: ${clip(e.message ?? '')}`);
  return [
    `${pod.metadata.name}: ${pod.status?.phase ?? 'no phase'} ${where}${pod.status?.podIP ? ` at ${pod.status.podIP}` : ''}${deleting}`,
    ...[...containers, ...logs, ...events].map((line) => `    ${line}`),
  ];
}

function containerLine(status: ContainerStatus, role: string): string {
  const { state } = status;
  const now = state?.running
    ? 'running'
    : state?.terminated
      ? `ended with ${exitText(state.terminated.exitCode, state.terminated.signal)} (${state.terminated.reason ?? ''})`
      : `waiting (${state?.waiting?.reason ?? 'no reason'})`;
  const last = status.lastState?.terminated;
  const before = last
    ? `, before that ended with ${exitText(last.exitCode, last.signal)} (${last.reason ?? ''})`
    : '';
  return `${role} ${status.name}: ${now}, ${status.ready ? 'ready' : 'not ready'}, restarts ${status.restartCount}${before}`;
}

function readyAddresses(service: string, world: World): string {
  const slices = world.slices.filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === service);
  const ready = slices.flatMap((s) =>
    (s.endpoints ?? []).filter((e) => e.conditions?.ready !== false).flatMap((e) => e.addresses),
  );
  return ready.length === 0
    ? 'no ready endpoints'
    : `ready endpoints ${[...new Set(ready)].sort().join(', ')}`;
}
