/** How a failing container restarts: with growing back-off, while the containers after it never start. */
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
 * The container failed repeatedly, and the kubelet lengthened its back-off ("CrashLoopBackOff": at once, 10 s, 20 s, 40 s …). Judged by the
 * back-offs that the kubelet states, not by the pauses between the instances: a busy node adds seconds to a pause.
 */
export function restartsWithBackOff(recording: PodHistory, pod: string, container: string): PredicateResult {
  const runs = containerRuns(recording, pod, container);
  const stated = statedBackOffs(recording, pod, container);
  const lengths = stated.map(durationMs);
  const details = runs
    .filter((run) => run.exitCode === 0)
    .map((run) => `the instance started at ${run.startedAt} ended with 0`);
  if (stated.length < 2) details.push('the kubelet states no second, longer back-off');
  stated.slice(1).forEach((text, index) => {
    const [before, after] = [lengths[index] ?? NaN, lengths[index + 1] ?? NaN];
    if (!(after > before)) details.push(`back-off ${text} follows ${stated[index] ?? ''}`);
  });
  const seen = `${runs.length} runs, back-offs: ${stated.join(', ') || 'none'}`;
  return {
    ok: details.length === 0,
    expected: `${container} fails repeatedly and is restarted with growing back-off`,
    actual: seen,
    observed: [`${container}: ${seen}`],
    details,
  };
}

/** The lengths that the kubelet states while a container waits, such as `10s`, each once for the span that it holds. */
function statedBackOffs(recording: PodHistory, pod: string, container: string): string[] {
  return statesOf(recording, pod, container)
    .flatMap(({ state }) => /^back-off (\S+) restarting/.exec(state?.waiting?.message ?? '')?.[1] ?? [])
    .filter((text, index, all) => text !== all[index - 1]);
}

const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** The length of a duration as Go prints it: `10s`, `1m20s`; NaN for other texts. */
function durationMs(text: string): number {
  const parts = [...text.matchAll(/([\d.]+)(ms|h|m|s)/g)];
  if (parts.length === 0) return NaN;
  return parts.reduce((sum, [, n, unit]) => sum + Number(n) * UNIT_MS[unit as keyof typeof UNIT_MS], 0);
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

/** No recorded state of the pod is Ready. */
export function neverReady(recording: PodHistory, pod: string): PredicateResult {
  const history = recording.podHistory(pod);
  const ready = history.filter(({ object: { status } }) =>
    status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True'),
  );
  const seen = ready.length === 0 ? 'never ready' : `ready in ${ready.length} recorded states`;
  return {
    ok: history.length > 0 && ready.length === 0,
    expected: `${pod} never becomes ready`,
    actual: history.length === 0 ? 'the recording has no such pod' : seen,
    observed: [`${pod}: ${seen} of ${history.length}`],
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
