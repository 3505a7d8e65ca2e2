/** Restarts, kills by the kernel, and losses of readiness, from the states of pods. */
import { containerSteps, isReady, podSteps, uidOf } from './container-steps.ts';
import type { RecordedChange } from './change.ts';

export interface ContainerRestart {
  pod: string;
  uid: string;
  container: string;
  init: boolean;
  /** The container's restart counter after it. */
  count: number;
  /** How many restarts this is: more than one when the counter moved on between two updates. */
  by: number;
  /** How the instance before ended: `OOMKilled`, `Error`, `Completed`, … */
  reason: string;
  exitCode: number | undefined;
  at: number;
  seq: number;
}

/** Every increase of a restart counter, in the order of arrival; a counter that was above zero at first sight is one, too. */
export function findRestarts(changes: readonly RecordedChange[]): ContainerRestart[] {
  return podSteps(changes).flatMap((step) =>
    containerSteps(step)
      .filter((container) => container.restarts > 0)
      .map(({ name, init, now, restarts }) => ({
        pod: step.pod.metadata.name,
        uid: uidOf(step.pod),
        container: name,
        init,
        count: now.restartCount,
        by: restarts,
        reason: now.lastState?.terminated?.reason ?? 'unknown',
        exitCode: now.lastState?.terminated?.exitCode,
        at: step.change.at,
        seq: step.change.seq,
      })),
  );
}

export interface OomKill {
  pod: string;
  uid: string;
  container: string;
  exitCode: number;
  at: number;
  seq: number;
}

/**
 * Containers that ended with `OOMKilled`. A killed child of a container that goes on is **not** here: the API does not show
 * it, only the cgroup of the container on its node does.
 */
export function findOomKills(changes: readonly RecordedChange[]): OomKill[] {
  return podSteps(changes).flatMap((step) =>
    containerSteps(step).flatMap(({ name, ended }) =>
      ended
        .filter((end) => end.reason === 'OOMKilled')
        .map((end) => ({
          pod: step.pod.metadata.name,
          uid: uidOf(step.pod),
          container: name,
          exitCode: end.exitCode,
          at: step.change.at,
          seq: step.change.seq,
        })),
    ),
  );
}

export interface UnreadySpan {
  pod: string;
  at: number;
  seq: number;
  /** What the Ready condition said, e.g. `ContainersNotReady: containers with unready status: [app]`. */
  says: string;
  /** Position of the change that made it ready again. */
  until: number | undefined;
}

/**
 * Times in which a pod was not ready.
 *
 * @param pod name or uid
 * @param options.afterReady only after it was ready for the first time (default): starting is no failure
 * @param options.whileDeleting also while it is being deleted, when not being ready is as it should be; default false
 */
export function findUnready(
  changes: readonly RecordedChange[],
  pod: string,
  options: { afterReady?: boolean; whileDeleting?: boolean } = {},
): UnreadySpan[] {
  const spans = new Map<string, UnreadySpan>();
  const found: UnreadySpan[] = [];
  const wasReady = new Set<string>();
  for (const { change, pod: state } of podSteps(changes)) {
    const uid = uidOf(state);
    if (state.metadata.name !== pod && uid !== pod) continue;
    const open = spans.get(uid);
    if (isReady(state)) {
      wasReady.add(uid);
      if (open) open.until = change.seq;
      spans.delete(uid);
      continue;
    }
    const leaving = state.metadata.deletionTimestamp !== undefined || change.type === 'DELETED';
    const counts =
      (wasReady.has(uid) || options.afterReady === false) && (!leaving || options.whileDeleting === true);
    if (open || !counts) continue;
    const condition = state.status?.conditions?.find((c) => c.type === 'Ready');
    const says = [condition?.reason, condition?.message].filter((t) => t !== undefined).join(': ');
    const span = {
      pod: state.metadata.name,
      at: change.at,
      seq: change.seq,
      says: says || 'not ready',
      until: undefined,
    };
    spans.set(uid, span);
    found.push(span);
  }
  return found;
}
