/**
 * The order of container ends and starts in a recording. API times are whole seconds, so two times in the same second prove no order:
 * then the order in which the states arrived decides.
 */
import { uidOf } from '../../../kube/api/objects.ts';
import type { Pod } from '../../../kube/api/types.ts';
import type { RecordedChange } from '../../recorder/change.ts';
import type { Terminated } from '../../recorder/container-steps.ts';
import { describeEnd, podSteps, statuses } from '../../recorder/container-steps.ts';
import type { PredicateResult } from '../result.ts';

interface Recorded {
  changes: readonly RecordedChange[];
}

interface PodState {
  seq: number;
  pod: Pod;
}

interface End {
  name: string;
  end: Terminated;
  seq: number;
}

interface Start {
  name: string;
  /** API time, whole seconds. */
  startedAt: string;
  seq: number;
}

/**
 * Every init container of a pod ended with 0 before any main container started.
 *
 * @param pod name or uid
 */
export function initEndedBeforeMain({ changes }: Recorded, pod: string): PredicateResult {
  const expected = `init containers of ${pod} end with 0 before its main containers start`;
  const history = historyOf(changes, pod);
  const last = history.at(-1)?.pod;
  if (!last) return no(expected, `the recording has no pod ${pod}`);
  const inits = (last.spec.initContainers ?? [])
    .filter((c) => c.restartPolicy !== 'Always')
    .map((c) => c.name);
  if (inits.length === 0) return no(expected, `pod ${pod} has no init container`);
  const start = firstStart(history);
  const ends: End[] = [];
  for (const name of inits) {
    const end = successOf(history, name);
    if (!end) {
      const yet = start ? `, yet ${start.name} started` : '';
      return no(expected, `init container ${name} of ${pod} never ended with exit code 0${yet}`);
    }
    ends.push(end);
  }
  if (!start) {
    const actual = `all of ${inits.join(', ')} ended with 0 and no main container of ${pod} has started`;
    return { ok: true, expected, actual };
  }
  const violation = firstViolation(ends, start);
  if (violation !== undefined) return no(expected, violation);
  const actual = `${inits.join(', ')} ended with 0 before ${start.name} started at ${start.startedAt}`;
  return { ok: true, expected, actual };
}

/**
 * All main containers of one pod, for example of a migration Job, ended with 0 before any main container of another started.
 *
 * @param first name or uid of the pod that has to end
 * @param second name or uid of the pod that has to start later
 */
export function podEndedBeforePodStarted(
  { changes }: Recorded,
  first: string,
  second: string,
): PredicateResult {
  const expected = `${first} ends with 0 before ${second} starts`;
  const history = historyOf(changes, first);
  const names = history.at(-1)?.pod.spec.containers.map((c) => c.name);
  if (!names) return no(expected, `the recording has no pod ${first}`);
  const start = firstStart(historyOf(changes, second));
  const ends: End[] = [];
  for (const name of names) {
    const end = successOf(history, name);
    if (!end) return no(expected, `container ${name} of ${first} never ended with exit code 0`);
    ends.push(end);
  }
  if (!start) return no(expected, `no container of ${second} ever started`);
  const violation = firstViolation(ends, start);
  if (violation !== undefined) return no(expected, violation);
  const actual = `${first} ended with 0 before ${start.name} of ${second} started at ${start.startedAt}`;
  return { ok: true, expected, actual, observed: [actual] };
}

function firstViolation(ends: readonly End[], start: Start): string | undefined {
  for (const { name, end, seq } of ends) {
    const finishedAt = end.finishedAt ?? '';
    // Both have the form 2026-01-01T00:00:00Z, which sorts as text.
    if (finishedAt > start.startedAt) {
      return `${name} ended at ${finishedAt} with ${describeEnd(end)}, after ${start.name} started at ${start.startedAt}`;
    }
    if (seq > start.seq && finishedAt === start.startedAt) {
      return `${start.name} was seen running before the end of ${name} was, both at ${finishedAt}`;
    }
  }
  return undefined;
}

function historyOf(changes: readonly RecordedChange[], pod: string): PodState[] {
  return podSteps(changes)
    .filter((step) => step.pod.metadata.name === pod || uidOf(step.pod) === pod)
    .map((step) => ({ seq: step.change.seq, pod: step.pod }));
}

/** The first start of a main container; sidecars do not count. */
function firstStart(history: readonly PodState[]): Start | undefined {
  const starts: Start[] = [];
  for (const { seq, pod } of history) {
    const sidecars = new Set((pod.spec.initContainers ?? []).map((c) => c.name));
    for (const { status } of statuses(pod).filter((s) => !s.init && !sidecars.has(s.status.name))) {
      const { state, lastState } = status;
      // The earliest instance counts: a main container that crashed and restarted has started before.
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

/** The first recorded state in which the container had ended with 0. */
function successOf(history: readonly PodState[], name: string): End | undefined {
  for (const { seq, pod } of history) {
    const status = statuses(pod).find((s) => s.status.name === name)?.status;
    const end = [status?.lastState?.terminated, status?.state?.terminated].find((t) => t?.exitCode === 0);
    if (end) return { name, end, seq };
  }
  return undefined;
}

function no(expected: string, actual: string): PredicateResult {
  return { ok: false, expected, actual };
}
