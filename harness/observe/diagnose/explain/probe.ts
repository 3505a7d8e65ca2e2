/** Probe failures: container, request and answer. */
import type { Container, KubeEvent, Pod, PodSpec, Probe } from '../../../kube/api/types.ts';
import { HINT } from './hints.ts';
import { clip } from '../../../core/wording.ts';
import { eventCount } from '../../recorder/events.ts';
import { eventsOf, eventTime } from '../world.ts';

export type ProbeKind = 'liveness' | 'readiness' | 'startup';

export interface ProbeFailure {
  probe: ProbeKind;
  container: string;
  /** "GET /ready on port 3000 answers 500". */
  says: string;
  hint: string;
  times: number;
  at: number;
}

/** In the message of a probe that got no answer within its timeout. A refused or closed connection is an answer. */
export const NO_ANSWER_IN_TIME = /deadline exceeded|Client\.Timeout|i\/o timeout|timed out/;

/** The latest failure of each probe of each container, from the pod's Unhealthy events, newest first. */
export function probeFailures(pod: Pod, events: readonly KubeEvent[]): ProbeFailure[] {
  const found = new Map<string, ProbeFailure>();
  for (const event of eventsOf(events, { ...pod, kind: 'Pod' })) {
    if (event.reason !== 'Unhealthy' && event.reason !== 'ProbeWarning') continue;
    const failure = readProbeEvent(event, pod);
    if (!failure) continue;
    const key = `${failure.container}/${failure.probe}`;
    const times = failure.times + (found.get(key)?.times ?? 0);
    found.set(key, { ...failure, times });
  }
  return [...found.values()].sort((a, b) => b.at - a.at);
}

function readProbeEvent(event: KubeEvent, pod: Pod): ProbeFailure | undefined {
  const match =
    /^(Liveness|Readiness|Startup) probe (?:failed|errored|warning)(?: and resulted in .*?)?:? ?(.*)$/s.exec(
      event.message ?? '',
    );
  if (!match) return undefined;
  const probe = (match[1] ?? '').toLowerCase() as ProbeKind;
  const container = containerOf(event, pod.spec);
  const spec = allContainers(pod).find((c) => c.name === container);
  const { says, hint } = outcome(match[2] ?? '', probeOf(spec, probe), spec);
  return { probe, container, says, hint, times: eventCount(event), at: eventTime(event) };
}

function outcome(
  text: string,
  probe: Probe | undefined,
  spec: Container | undefined,
): { says: string; hint: string } {
  const request = requestText(probe, spec);
  const status = /statuscode: (\d+)/.exec(text)?.[1];
  if (status !== undefined)
    return { says: `${request} answers ${status}`, hint: status === '404' ? HINT.probePath : HINT.liveness };
  if (text.includes('connection refused'))
    return { says: `${request} is refused: nothing listens there`, hint: HINT.probeRefused };
  if (NO_ANSWER_IN_TIME.test(text)) {
    const limit = probe?.timeoutSeconds ?? 1;
    return { says: `${request} gives no answer within ${limit} s`, hint: HINT.probeTimeout };
  }
  if (text.includes('server gave HTTP response to HTTPS client'))
    return { says: `${request} uses HTTPS, but the application serves HTTP`, hint: HINT.probePath };
  if (probe?.exec)
    return { says: `${request} fails${text.trim() === '' ? '' : `: ${clip(text)}`}`, hint: HINT.liveness };
  return { says: `${request} fails: ${clip(text)}`, hint: HINT.liveness };
}

/** "GET /ready on port http (3000)", "the connection to port 5432", "the command `pg_isready`". */
export function requestText(probe: Probe | undefined, spec: Container | undefined): string {
  if (probe?.httpGet) return `GET ${probe.httpGet.path ?? '/'} on port ${portText(probe.httpGet.port, spec)}`;
  if (probe?.tcpSocket) return `the connection to port ${portText(probe.tcpSocket.port, spec)}`;
  if (probe?.grpc) return `the gRPC health call on port ${probe.grpc.port}`;
  if (probe?.exec) return `the command \`${clip(probe.exec.command.join(' '), 80)}\``;
  return 'the probe';
}

function portText(port: number | string, spec: Container | undefined): string {
  if (typeof port === 'number' || /^\d+$/.test(port)) return String(port);
  const declared = spec?.ports?.find((p) => p.name === port)?.containerPort;
  return declared === undefined ? `${port} (which the container does not declare)` : `${port} (${declared})`;
}

export function probeOf(spec: Container | undefined, kind: ProbeKind): Probe | undefined {
  return spec?.[`${kind}Probe`];
}

/** "allows 3 failures 10 s apart": when the kubelet acts. */
export function tolerance(probe: Probe | undefined): string {
  const threshold = probe?.failureThreshold ?? 3;
  const period = probe?.periodSeconds ?? 10;
  const delay = probe?.initialDelaySeconds ?? 0;
  return `allows ${delay > 0 ? `${delay} s and then ` : ''}${threshold} failures ${period} s apart`;
}

/** Name of the container in an event's field path (`spec.containers{name}`). */
export function containerOf(event: KubeEvent, spec: PodSpec): string {
  return /\{([^}]+)\}/.exec(event.involvedObject.fieldPath ?? '')?.[1] ?? spec.containers[0]?.name ?? '';
}

export function allContainers(pod: Pick<Pod, 'spec'>): Container[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
}

/** The last time the kubelet killed a container for a failing probe, and which probe it was. */
export function probeKill(
  pod: Pod,
  container: string,
  events: readonly KubeEvent[],
): { probe: ProbeKind; times: number } | undefined {
  const kill = eventsOf(events, { ...pod, kind: 'Pod' }).findLast(
    (e) =>
      e.reason === 'Killing' &&
      /failed (liveness|startup) probe/.test(e.message ?? '') &&
      containerOf(e, pod.spec) === container,
  );
  const probe = /failed (liveness|startup) probe/.exec(kill?.message ?? '')?.[1];
  return kill && probe ? { probe: probe as ProbeKind, times: eventCount(kill) } : undefined;
}
