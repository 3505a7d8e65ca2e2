/** How a failing container restarts: with growing pauses, while the containers after it never start. */
import type { ContainerStatus } from '../../../kube/api/types.ts';
import type { Recording } from '../../recorder/recording.ts';
import type { PredicateResult } from '../result.ts';

/** One instance of a container. */
export interface ContainerRun {
  /** API times, whole seconds. */
  startedAt: string;
  finishedAt: string | undefined;
  exitCode: number | undefined;
}

type PodHistory = Pick<Recording, 'podHistory'>;

/** Every recorded instance of a container, oldest first; also of init containers. */
export function containerRuns(recording: PodHistory, pod: string, container: string): ContainerRun[] {
  const runs = new Map<string, ContainerRun>();
  for (const { state, lastState } of statesOf(recording, pod, container)) {
    const shown: (Partial<ContainerRun> | undefined)[] = [
      lastState?.terminated,
      state?.terminated,
      state?.running,
    ];
    for (const run of shown) {
      if (run?.startedAt === undefined) continue;
      const known = runs.get(run.startedAt);
      runs.set(run.startedAt, {
        startedAt: run.startedAt,
        finishedAt: run.finishedAt ?? known?.finishedAt,
        exitCode: run.exitCode ?? known?.exitCode,
      });
    }
  }
  return [...runs.values()].toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
}

/**
 * The container failed repeatedly, and each pause before a restart was longer than the one before (kubelet, "CrashLoopBackOff": at once,
 * 10 s, 20 s, 40 s …).
 *
 * @param minRestarts at least two, because a single pause cannot grow
 */
export function restartsWithBackOff(
  runs: readonly ContainerRun[],
  container: string,
  minRestarts = 2,
): PredicateResult {
  const details = runs
    .filter((run) => run.exitCode === 0)
    .map((run) => `the instance started at ${run.startedAt} ended with 0`);
  const pauses = runs.slice(1).map((run, index) => secondsBetween(runs[index]?.finishedAt, run.startedAt));
  if (pauses.length < minRestarts) details.push(`restarted only ${pauses.length} times`);
  pauses.slice(1).forEach((pause, index) => {
    const before = pauses[index] ?? NaN;
    if (!(pause > before))
      details.push(`pause ${index + 2} of ${pause} s is not longer than the previous one of ${before} s`);
  });
  const list = pauses.map((pause) => `${pause} s`).join(', ') || 'none';
  return {
    ok: details.length === 0,
    expected: `${container} fails and restarts at least ${minRestarts} times, with growing pauses`,
    actual: `${runs.length} runs, pauses: ${list}`,
    observed: [`${container}: ${runs.length} runs, pauses between them: ${list}`],
    details,
  };
}

/** No main container of the pod ever started. */
export function neverStarted(recording: PodHistory, pod: string): PredicateResult {
  const history = recording.podHistory(pod);
  const names = history.at(-1)?.object.spec.containers.map((c) => c.name) ?? [];
  const details = names.flatMap((name) =>
    containerRuns(recording, pod, name).map((run) => `${name} of ${pod} started at ${run.startedAt}`),
  );
  return {
    ok: names.length > 0 && details.length === 0,
    expected: `no main container of ${pod} ever starts`,
    actual:
      names.length === 0
        ? 'the recording has no such pod'
        : (details[0] ?? `${names.join(', ')} never started`),
    observed: [`${pod}: ${names.join(', ')} in ${history.length} recorded states`],
    details,
  };
}

function statesOf(recording: PodHistory, pod: string, container: string): ContainerStatus[] {
  return recording
    .podHistory(pod)
    .flatMap(({ object: { status } }) => [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
    ])
    .filter(({ name }) => name === container);
}

function secondsBetween(from: string | undefined, to: string): number {
  return (Date.parse(to) - Date.parse(from ?? '')) / 1000;
}
