/** Pods that ran without a restart, kill or eviction since they were first ready. */
import { count } from '../../../core/wording.ts';
import { hasCondition } from '../../../kube/api/objects.ts';
import type { Pod } from '../../../kube/api/types.ts';
import { evictionOf, isEvictedByNode } from '../../diagnose/explain/eviction.ts';
import type { Recording } from '../../recorder/recording.ts';
import type { CgroupKills } from './restarts.ts';
import type { PredicateResult } from '../result.ts';

export interface Disturbances extends PredicateResult {
  /** What the machine may have caused: nothing is known about the subject. */
  undecided: readonly string[];
}

/**
 * No container of these pods restarted after the pod was first ready, none was OOM-killed at any time, and no pod was evicted. Restarts
 * before the first readiness are the order in which the parts start: they are reported, and do not count.
 *
 * @param pods the present pods, for the message and the evictions
 * @param kills OOM kills as the nodes counted them; without node access, those of child processes are not noticed
 * @param excused names of pods that were restarted only because a probe got no answer in time: the machine may have stalled. Evictions from
 * a node that ran out of something are not the pod's doing either
 */
export function undisturbed(
  recording: Pick<Recording, 'restarts' | 'oomKills' | 'podHistory' | 'pods' | 'objects'>,
  pods: readonly Pod[],
  kills: readonly CgroupKills[] = [],
  excused: ReadonlySet<string> = new Set(),
): Disturbances {
  const expected = 'no restart after the first readiness, no OOM kill, no eviction';
  const names = new Set(pods.map(({ metadata }) => metadata.name));
  const restarts = recording.restarts().filter(({ pod }) => names.has(pod));
  const [early, late] = [true, false].map((isEarly) =>
    restarts.filter(({ uid, seq }) => seq < firstReadiness(recording, uid) === isEarly),
  ) as [typeof restarts, typeof restarts];
  // In a namespace that is not recorded, for example one that the chart itself names.
  const unrecorded = pods.filter(({ metadata }) => recording.podHistory(metadata.uid ?? '').length === 0);
  const counted = unrecorded.flatMap(({ metadata, status }) =>
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
      .filter(({ restartCount }) => restartCount > 0)
      .map(({ name, restartCount }) => `${metadata.name}/${name} has restarted ${restartCount} times`),
  );
  const restartText = ({ pod, container, reason, exitCode }: (typeof late)[number]): string =>
    `${pod}/${container} restarted (${reason}, exit code ${exitCode ?? 'unknown'})`;
  const evicted = [...evictionsIn(recording)];
  const evictionText = ([pod, message]: (typeof evicted)[number]): string => `${pod} was evicted: ${message}`;
  const details = [
    ...late.filter(({ pod }) => !excused.has(pod)).map(restartText),
    ...recording
      .oomKills()
      .filter(({ pod }) => names.has(pod))
      .map(({ pod, container }) => `${pod}/${container} was OOM-killed`),
    ...kills
      .filter(({ oomKills }) => oomKills > 0)
      .map(
        ({ pod, container, oomKills }) =>
          `${pod}/${container}: the kernel OOM-killed ${oomKills} of its processes`,
      ),
    ...counted,
    ...evicted.filter(([, message]) => !isEvictedByNode(message)).map(evictionText),
  ];
  const undecided = [
    ...late
      .filter(({ pod }) => excused.has(pod))
      .map((restart) => `${restartText(restart)}, because its liveness probe got no answer in time`),
    ...evicted.filter(([, message]) => isEvictedByNode(message)).map(evictionText),
  ];
  return {
    ok: pods.length > 0 && details.length === 0,
    expected,
    actual:
      pods.length === 0
        ? 'selected nothing: there are no pods'
        : (details[0] ?? `none in ${pods.length} pods`),
    observed: [
      `${pods.length - unrecorded.length} pods over their whole recording, ${unrecorded.length} by their restart counters`,
      ...early.map(
        ({ pod, container, by, reason, exitCode }) =>
          `${pod}/${container} restarted ${count(by, 'time')} before its pod was ready (${reason}, exit code ${exitCode ?? 'unknown'})`,
      ),
    ],
    details,
    undecided,
  };
}

/** Name and reason of each evicted pod; a pod that ended in time shows it in an event only, and may not be recorded itself. */
function evictionsIn(recording: Pick<Recording, 'pods' | 'objects'>): Map<string, string> {
  const events = recording.objects('Event');
  const found = new Map(
    events
      .filter(({ reason, involvedObject: { kind } }) => reason === 'Evicted' && kind === 'Pod')
      .map(({ involvedObject: { name }, message = 'no message' }) => [name, message.trim()]),
  );
  for (const pod of recording.pods()) {
    const message = evictionOf(pod, events);
    if (message !== undefined) found.set(pod.metadata.name, message);
  }
  return found;
}

/** Position of the change with which the pod was ready for the first time; Infinity when it never was. */
function firstReadiness(recording: Pick<Recording, 'podHistory'>, uid: string): number {
  return recording.podHistory(uid).find(({ object }) => hasCondition(object, 'Ready'))?.seq ?? Infinity;
}
