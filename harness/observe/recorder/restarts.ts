/** Restarts, OOM kills and losses of readiness, from the recorded states of pods. */
import { hasCondition, uidOf } from '../../kube/api/objects.ts';
import { containerSteps, podSteps } from './container-steps.ts';
import type { RecordedChange } from './change.ts';

export interface ContainerRestart {
  pod: string;
  uid: string;
  container: string;
  init: boolean;
  /** The container's restart counter after it. */
  count: number;
  /** Number of restarts; more than one when the counter grew by more between two updates. */
  by: number;
  /** How the previous instance ended: `OOMKilled`, `Error`, `Completed`, … */
  reason: string;
  exitCode: number | undefined;
  at: number;
  seq: number;
}

/** Every increase of a restart counter, in the order of arrival; a first recorded counter above zero counts, too. */
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
 * Containers that ended with `OOMKilled`. The kill of a child process in a container that keeps running is **not** included: only the
 * container's cgroup on its node shows it.
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
  /** The Ready condition, e.g. `ContainersNotReady: containers with unready status: [app]`. */
  says: string;
  /** Position of the change with which the pod was ready again. */
  until: number | undefined;
}

/**
 * Times in which a pod was not ready. Only times after its first readiness and before its deletion count: unreadiness is expected while a
 * pod starts and ends.
 *
 * @param pod name or uid
 */
export function findUnready(changes: readonly RecordedChange[], pod: string): UnreadySpan[] {
  const spans = new Map<string, UnreadySpan>();
  const found: UnreadySpan[] = [];
  const wasReady = new Set<string>();
  for (const { change, pod: state } of podSteps(changes)) {
    const uid = uidOf(state);
    if (state.metadata.name !== pod && uid !== pod) continue;
    const open = spans.get(uid);
    if (hasCondition(state, 'Ready')) {
      wasReady.add(uid);
      if (open) open.until = change.seq;
      spans.delete(uid);
      continue;
    }
    const terminating = state.metadata.deletionTimestamp !== undefined || change.type === 'DELETED';
    if (open || terminating || !wasReady.has(uid)) continue;
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
