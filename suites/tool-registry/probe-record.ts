/** What the kubelet's record says about probes: restarts that they caused, and endpoints that they took. */
import type { KubeEvent } from '../../harness/kube/api/types.ts';
import { NO_ANSWER_IN_TIME } from '../../harness/observe/diagnose/explain/probe.ts';
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import type { EndpointsMoment } from '../../harness/observe/recorder/endpoints.ts';
import type { Recording } from '../../harness/observe/recorder/recording.ts';

/** As the kubelet decides it; the restart follows when the grace period is over. */
const KILLED = 'failed liveness probe';
/** Fails in every pod until its application has started. */
const STARTUP = 'Startup probe';

/** Restarts and failed probes of these pods since they have started, in words. */
export function probeTroubles(
  recording: Pick<Recording, 'restarts' | 'warningEvents'>,
  pods: readonly string[],
): string[] {
  return [
    ...recording
      .restarts()
      .filter(({ pod }) => pods.includes(pod))
      .map(({ pod, reason }) => `${pod} restarted: ${reason}`),
    ...recording
      .warningEvents({ reason: 'Unhealthy' })
      .filter(({ name, message }) => pods.includes(name) && !message.startsWith(STARTUP))
      .map(({ name, message }) => `${name}: ${message}`),
  ];
}

/** The kubelet has not restarted the pod, nor decided to because of its liveness probe. */
export function notRestarted(
  recording: Pick<Recording, 'restarts' | 'warningEvents' | 'objects' | 'podHistory'>,
  pod: string,
): PredicateResult {
  const decided = recording.objects('Event').filter((event) => isKill(event, pod));
  const restarts = recording.restarts().filter((restart) => restart.pod === pod);
  const failed = recording.warningEvents({ reason: 'Unhealthy', about: pod });
  const wrong = [
    ...decided.map(({ message = '' }) => message),
    ...restarts.map(({ container, reason }) => `container ${container} restarted (${reason})`),
  ];
  const recorded = recording.podHistory(pod).length;
  const actual = recorded === 0 ? 'the recording has no such pod' : (wrong[0] ?? 'no restart');
  return {
    ok: recorded > 0 && wrong.length === 0,
    expected: `${pod} is not restarted`,
    actual,
    observed: [`${pod}: ${actual} in ${recorded} recorded states`],
    details: [...wrong, ...failed.map(({ message, count }) => `${message} ×${count}`)],
  };
}

function isKill({ reason, message = '', involvedObject }: KubeEvent, pod: string): boolean {
  return reason === 'Killing' && involvedObject.name === pod && message.includes(KILLED);
}

/**
 * The ready endpoints of a Service as a rollout alone leaves them: a pod that left because its readiness probe got no answer in time counts
 * as an endpoint until it is deleted. A busy node is enough for that; when the pod really is broken, its clients notice.
 */
export function endpointsOfRollout(
  recording: Pick<Recording, 'endpointsOf' | 'everUnready' | 'warningEvents' | 'podHistory'>,
  service: string,
): EndpointsMoment[] {
  const timedOut = new Set(
    recording
      .warningEvents({ reason: 'Unhealthy' })
      .filter(({ message }) => message.startsWith('Readiness probe') && NO_ANSWER_IN_TIME.test(message))
      .map(({ name }) => name)
      // While a pod ends, it is not ready either.
      .filter((name) => recording.everUnready(name).length > 0),
  );
  const seen = new Set<string>();
  return recording.endpointsOf(service).map((moment) => {
    for (const name of moment.ready) seen.add(name);
    const excused = [...timedOut].filter((name) => seen.has(name) && isKept(recording, name, moment.seq));
    return { ...moment, ready: new Set([...moment.ready, ...excused]) };
  });
}

/** The pod exists and is not being deleted, at a position in the recording. */
function isKept(recording: Pick<Recording, 'podHistory'>, pod: string, seq: number): boolean {
  const state = recording.podHistory(pod).findLast((change) => change.seq <= seq);
  return (
    state !== undefined && state.type !== 'DELETED' && state.object.metadata.deletionTimestamp === undefined
  );
}
