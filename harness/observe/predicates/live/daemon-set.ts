/** The rolling update of a DaemonSet, from the recording. */
import { hasCondition } from '../../../kube/api/objects.ts';
import type { Pod } from '../../../kube/api/types.ts';
import type { Recording } from '../../recorder/recording.ts';
import { containerRuns } from './back-off.ts';
import { selectedNothing } from '../select.ts';
import { blamingShell } from '../../diagnose/explain/process-one.ts';
import type { PredicateResult } from '../result.ts';

/** A normal exit, or an exit on SIGTERM; 137 would be a kill after the grace period. */
const GRACEFUL = [0, 143];
const KILLED = 137;

/**
 * During an update at most `maxUnavailable` pods were unavailable at a time, and every replaced pod ended within its grace period.
 *
 * @param wanted.replaced names of the pods before the update
 * @param wanted.maxUnavailable of the update strategy, as a number
 */
export function rolloutOfDaemonSet(
  recording: Pick<Recording, 'changes' | 'podHistory'>,
  wanted: { daemonSet: string; replaced: readonly string[]; container: string; maxUnavailable: number },
): PredicateResult {
  const { daemonSet, replaced, container, maxUnavailable } = wanted;
  const expected = `at most ${maxUnavailable} unavailable at a time, every old pod ends with 0 or 143`;
  if (replaced.length === 0) return selectedNothing(expected, 'there were no pods before the update');
  const updating = recording.changes.flatMap(({ object }) => {
    if (object.kind !== 'DaemonSet' || object.metadata.name !== daemonSet) return [];
    const status = (object['status'] ?? {}) as Record<string, number>;
    // Generation 1 is the install, during which all pods are unavailable at first.
    return (status['observedGeneration'] ?? 0) > 1 ? [status] : [];
  });
  if (updating.length === 0) return selectedNothing(expected, `DaemonSet ${daemonSet} was never updated`);
  const worst = Math.max(
    ...updating.map((status) => status['numberUnavailable'] ?? 0),
    mostNodesWithout(recording, daemonSet, new Set(replaced)),
  );
  const ends = replaced.map((pod) => ({
    pod,
    exitCode: containerRuns(recording, pod, container).at(-1)?.exitCode,
  }));
  const details = [
    ...(worst > maxUnavailable ? [`${worst} pods were unavailable at the same time`] : []),
    ...ends.flatMap(({ pod, exitCode }) => {
      if (exitCode === undefined) return [`the recording has no end of ${container} of ${pod}`];
      if (GRACEFUL.includes(exitCode)) return [];
      const why = exitCode === KILLED ? killed(recording.podHistory(pod).at(-1)?.object, container) : '';
      return [`${container} of ${pod} ended with ${exitCode}${why}`];
    }),
  ];
  return {
    ok: details.length === 0,
    expected,
    actual: `at most ${worst} unavailable at a time; ${ends.map(({ pod, exitCode }) => `${pod} ended with ${exitCode ?? '?'}`).join(', ')}`,
    details,
  };
}

/** Why it ended with 137. The spec is that of the old pod: the update may change it. */
function killed(pod: Pod | undefined, container: string): string {
  const seconds = pod?.spec.terminationGracePeriodSeconds ?? 30;
  return `: it did not end on SIGTERM and was killed after ${seconds} s${blamingShell(pod, container)}`;
}

/**
 * The highest number of nodes on which an old pod was being deleted and its replacement was not ready yet. The DaemonSet's status does not
 * show this: it counts a pod until it has ended, so of two pods deleted at the same time the first may be replaced before the second ends.
 */
function mostNodesWithout(
  { changes }: Pick<Recording, 'changes'>,
  daemonSet: string,
  replaced: ReadonlySet<string>,
): number {
  const deleted = new Set<string>();
  const waiting = new Set<string>();
  let most = 0;
  for (const { type, object } of changes) {
    const owners = object.metadata.ownerReferences ?? [];
    if (object.kind !== 'Pod' || !owners.some((o) => o.kind === 'DaemonSet' && o.name === daemonSet))
      continue;
    const pod = object as Pod;
    const { name, deletionTimestamp } = pod.metadata;
    const node = pod.spec.nodeName ?? '';
    const leaving = type === 'DELETED' || deletionTimestamp !== undefined;
    if (replaced.has(name)) {
      if (leaving && !deleted.has(name)) waiting.add(node);
      if (leaving) deleted.add(name);
    } else if (!leaving && hasCondition(pod, 'Ready')) waiting.delete(node);
    most = Math.max(most, waiting.size);
  }
  return most;
}
