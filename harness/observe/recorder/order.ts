/**
 * What came before what. The API's times are whole seconds, so two of them in one second say nothing: the order in which the states
 * arrived has to agree as well.
 */
import type { Pod } from '../../kube/api/types.ts';
import type { Terminated } from './container-steps.ts';
import { describeEnd, podSteps, statuses, uidOf } from './container-steps.ts';
import type { RecordedChange } from './change.ts';

export interface OrderResult {
  ok: boolean;
  /** What was seen that decides it, one sentence. */
  evidence: string;
}

interface Ends {
  name: string;
  end: Terminated;
  seq: number;
}

interface Start {
  name: string;
  /** Time of the API, whole seconds. */
  startedAt: string;
  seq: number;
}

/**
 * Whether every init container of a pod had ended with 0 before any main container started.
 *
 * False also where the recording cannot show it: no such pod, no init container, an init container that never ended.
 *
 * @param pod name or uid
 */
export function initEndedBeforeMain(changes: readonly RecordedChange[], pod: string): OrderResult {
  const history = historyOf(changes, pod);
  const last = history.at(-1)?.pod;
  if (!last) return no(`the recording has no pod ${pod}`);
  const inits = (last.spec.initContainers ?? [])
    .filter((c) => c.restartPolicy !== 'Always')
    .map((c) => c.name);
  if (inits.length === 0) return no(`pod ${pod} has no init container`);
  const start = firstStart(history, false);
  const ends: Ends[] = [];
  for (const name of inits) {
    const end = successOf(history, name);
    if (!end)
      return no(
        `init container ${name} of ${pod} never ended with exit code 0${start ? `, yet ${start.name} started` : ''}`,
      );
    ends.push(end);
  }
  if (!start)
    return yes(`all of ${inits.join(', ')} ended with 0 and no main container of ${pod} has started`);
  for (const end of ends) {
    const verdict = before(end, start);
    if (!verdict.ok) return verdict;
  }
  return yes(`${inits.join(', ')} ended with 0 before ${start.name} started at ${start.startedAt}`);
}

/**
 * Whether all main containers of one pod (a migration Job's) had ended with 0 before any main container of another started.
 *
 * @param first name or uid of the pod that has to end
 * @param second name or uid of the pod that has to wait
 */
export function endedBeforeStarted(
  changes: readonly RecordedChange[],
  first: string,
  second: string,
): OrderResult {
  const history = historyOf(changes, first);
  const names = history.at(-1)?.pod.spec.containers.map((c) => c.name);
  if (!names) return no(`the recording has no pod ${first}`);
  const start = firstStart(historyOf(changes, second), false);
  const ends: Ends[] = [];
  for (const name of names) {
    const end = successOf(history, name);
    if (!end) return no(`container ${name} of ${first} never ended with exit code 0`);
    ends.push(end);
  }
  if (!start) return no(`no container of ${second} ever started`);
  return (
    ends.map((end) => before(end, start)).find((v) => !v.ok) ??
    yes(`${first} ended with 0 before ${start.name} of ${second} started at ${start.startedAt}`)
  );
}

function before({ name, end, seq }: Ends, start: Start): OrderResult {
  const finishedAt = end.finishedAt ?? '';
  // Both have the form 2026-01-01T00:00:00Z, which sorts as text; within one second only the arrival tells.
  if (finishedAt > start.startedAt) {
    return no(
      `${name} ended at ${finishedAt} with ${describeEnd(end)}, after ${start.name} started at ${start.startedAt}`,
    );
  }
  if (seq > start.seq && finishedAt === start.startedAt) {
    return no(`${start.name} was seen running before the end of ${name} was, both at ${finishedAt}`);
  }
  return yes(`${name} ended at ${finishedAt}, ${start.name} started at ${start.startedAt}`);
}

function historyOf(changes: readonly RecordedChange[], pod: string): { seq: number; pod: Pod }[] {
  return podSteps(changes)
    .filter((step) => step.pod.metadata.name === pod || uidOf(step.pod) === pod)
    .map((step) => ({ seq: step.change.seq, pod: step.pod }));
}

function firstStart(history: readonly { seq: number; pod: Pod }[], init: boolean): Start | undefined {
  const starts: Start[] = [];
  for (const { seq, pod } of history) {
    const sidecars = new Set((pod.spec.initContainers ?? []).map((c) => c.name));
    for (const { status } of statuses(pod).filter((s) => s.init === init && !sidecars.has(s.status.name))) {
      const { state, lastState } = status;
      // The earliest instance counts: a main container that crashed and came back did start before.
      const times = [
        lastState?.terminated?.startedAt,
        state?.terminated?.startedAt,
        state?.running?.startedAt,
      ];
      for (const startedAt of times)
        if (startedAt !== undefined) starts.push({ name: status.name, startedAt, seq });
    }
  }
  return starts.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt) || a.seq - b.seq)[0];
}

/** The first time that a container was seen to have ended with 0. */
function successOf(history: readonly { seq: number; pod: Pod }[], name: string): Ends | undefined {
  for (const { seq, pod } of history) {
    const status = statuses(pod).find((s) => s.status.name === name)?.status;
    const end = [status?.lastState?.terminated, status?.state?.terminated].find((t) => t?.exitCode === 0);
    if (end) return { name, end, seq };
  }
  return undefined;
}

function yes(evidence: string): OrderResult {
  return { ok: true, evidence };
}

function no(evidence: string): OrderResult {
  return { ok: false, evidence };
}
