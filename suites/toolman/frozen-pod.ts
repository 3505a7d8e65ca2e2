/** What the kubelet reports of a pod whose process is frozen: how often each probe failed, and what that led to in which order. */
import type { KubeEvent, Pod, Probe } from '../../harness/kube/api/types.ts';
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import { eventCount } from '../../harness/observe/recorder/events.ts';
import type { Recording } from '../../harness/observe/recorder/recording.ts';
import { livenessKills } from '../pods/beside-controls.ts';

/** As the kubelet's events name them. */
export type ProbeName = 'Readiness' | 'Liveness';

export type Probes = Readonly<Record<ProbeName, Probe | undefined>>;

/** How often each probe failed, by the Unhealthy events of a pod. */
export function probeFailures(events: readonly KubeEvent[]): Record<ProbeName, number> {
  const of = (probe: ProbeName): number =>
    events
      .filter(({ message = '' }) => message.includes(`${probe} probe`))
      .reduce((sum, event) => sum + eventCount(event), 0);
  return { Readiness: of('Readiness'), Liveness: of('Liveness') };
}

/**
 * Why a probe does not notice that the process is frozen; `undefined` while it may, and once it has. The same kubelet runs both probes, so
 * the failures of one are the clock for the other: on a slow machine both fail later.
 *
 * @param before failures before the freeze
 */
export function blindBeside(
  probe: ProbeName,
  probes: Probes,
  before: Readonly<Record<ProbeName, number>>,
  now: Readonly<Record<ProbeName, number>>,
): string | undefined {
  const other = probe === 'Readiness' ? 'Liveness' : 'Readiness';
  const failed = now[other] - before[other];
  // One round more than it has, because a success may come from just before the freeze; two of the other for the same reason.
  const needed = (patience(probes[probe]) + pace(probes[probe])) / pace(probes[other]) + 2;
  if (now[probe] > before[probe] || failed < needed) return undefined;
  return `since the freeze its ${other.toLowerCase()} probe failed ${failed} times, its ${probe.toLowerCase()} probe never`;
}

/** Seconds from failure to failure: a probe that runs into its timeout delays the next one. */
function pace({ periodSeconds = 10, timeoutSeconds = 1 }: Probe = {}): number {
  return Math.max(periodSeconds, timeoutSeconds);
}

/** Seconds that a failing probe takes to have an effect. */
function patience(probe: Probe = {}): number {
  return (probe.failureThreshold ?? 3) * pace(probe);
}

/**
 * A pod was not ready before the kubelet decided to restart its container: it left the Service while it was frozen. Both times are the
 * kubelet's own. Only where the liveness probe is the more patient one does the spec ask for that order.
 */
export function unreadyBeforeKilled(recording: Recording, pod: Pod, probes: Probes): PredicateResult {
  const { name, uid = name } = pod.metadata;
  const expected = `${name} is not ready before its liveness probe restarts it`;
  const [loss] = recording.everUnready(uid);
  const lost = recording.podHistory(uid).find(({ seq }) => seq === loss?.seq)?.object;
  const unreadyAt = lost?.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  const [kill] = livenessKills(recording, name);
  const killedAt = kill?.event.firstTimestamp ?? kill?.event.eventTime;
  if (unreadyAt === undefined || killedAt === undefined) {
    return {
      ok: false,
      expected,
      actual: unreadyAt === undefined ? 'it never lost its readiness' : 'it was never restarted',
    };
  }
  const actual = `not ready at ${unreadyAt}, to be restarted at ${killedAt}`;
  const isJudged = patience(probes.Readiness) < patience(probes.Liveness);
  return {
    ok: !isJudged || Date.parse(unreadyAt) <= Date.parse(killedAt),
    expected,
    actual,
    observed: [actual],
  };
}
