/** How the containers of a deleted pod ended. */
import type { Pod } from '../../../kube/api/types.ts';
import type { Recording } from '../../recorder/recording.ts';
import { hookFailures } from '../../diagnose/explain/lifecycle.ts';
import { blamingShell } from '../../diagnose/explain/process-one.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';
import { selectedNothing } from '../select.ts';
import { containerRuns } from './back-off.ts';

/** SIGKILL: the kubelet killed it when the grace period was over. */
const KILLED = 137;

/** Whether the recording shows how a container of the pod ended: the kubelet may delete a pod before it has reported that. */
export function isEndRecorded(
  recording: Pick<Recording, 'podHistory'>,
  { metadata: { name, uid = name } }: Pod,
  containers: readonly string[],
): boolean {
  return containers.some(
    (container) => containerRuns(recording, uid, container).at(-1)?.exitCode !== undefined,
  );
}

/**
 * Every container of a deleted pod ended before the kubelet had to kill it, and no preStop hook failed.
 *
 * @param containers those that run until the pod is deleted
 */
export function gracefulEnds(
  recording: Pick<Recording, 'podHistory' | 'objects'>,
  pod: Pod,
  containers: readonly string[],
): PredicateResult {
  const { metadata, spec } = pod;
  const { name, uid = name } = metadata;
  const seconds = spec.terminationGracePeriodSeconds ?? 30;
  const expected = `the containers of ${name} end within ${seconds} s`;
  const ends = containers.flatMap((container) => {
    const exitCode = containerRuns(recording, uid, container).at(-1)?.exitCode;
    return exitCode === undefined ? [] : [{ container, exitCode }];
  });
  const hooks = hookFailures(pod, recording.objects('Event')).filter(({ hook }) => hook === 'preStop');
  if (ends.length === 0) return selectedNothing(expected, 'the recording has no end of a container');
  const complaints = [
    ...ends
      .filter(({ exitCode }) => exitCode === KILLED)
      .map(
        ({ container }) =>
          `${name}/${container} ended with 137: it did not end on SIGTERM and was killed after ${seconds} s${blamingShell(pod, container)}`,
      ),
    ...hooks.map(({ container, says }) => `${name}/${container}: ${says}`),
  ];
  return {
    ...nothingWrong(expected, complaints),
    observed: ends.map(({ container, exitCode }) => `${name}/${container} ended with ${exitCode}`),
  };
}
