/** Runs one check and returns its outcome; diagnoses a failure while its objects still exist. */
import { join, relative } from 'node:path';
import { inspect } from 'node:util';
import {
  type Clock,
  endWithin,
  MachineTooSlow,
  orInterrupted,
  seconds,
  systemClock,
  throwIfAborted,
  waitFor,
  WaitTimeout,
} from '../../core/deadline.ts';
import {
  CheckFailure,
  DoesNotFit,
  InfrastructureError,
  InterruptedError,
  KindproofError,
  messageOf,
} from '../../core/errors.ts';
import { Lifecycle, type UndoFailure } from '../../core/lifecycle.ts';
import { type BudgetState, withLostTime } from '../../core/lost-time.ts';
import { firstLine } from '../../core/wording.ts';
import { collectEvidence } from '../../observe/diagnose/evidence.ts';
import { diagnose } from '../../observe/diagnose/diagnose.ts';
import type { PredicateResult } from '../../observe/predicates/result.ts';
import { observeResults } from '../../observe/matchers/result-sink.ts';
import type { CapabilityResult } from '../../kube/cluster/cluster.ts';
import type { CheckResult } from '../report/model.ts';
import { isAdvice } from '../report/status.ts';
import type { Cause, Diagnosis } from '../../observe/diagnose/diagnosis.ts';
import { whyAdvice } from './advice.ts';
import { countAssertions } from './assertions.ts';
import { CheckSkipped, type Check } from './check.ts';
import { Lab } from './lab.ts';
import { BlockedError, type SharedLab } from './shared-lab.ts';
import { stallBehind } from './stall-behind.ts';
import { statusOfError } from './status-of-error.ts';
import { terminatingPodsGone } from './terminating-pods.ts';
import type { CheckOutcome, InfrastructureFailure } from './test-record.ts';

/** Limit of a check that declares none. */
export const CHECK_TIMEOUT_MS = 300_000;

export const MOST_ATTEMPTS = 2;

/**
 * Runs a check and takes down what it has set up. When the check fails and a stall may be the cause, it is repeated once where that is
 * safe; a failure that a stall may have caused is `errored`.
 *
 * @throws InterruptedError when the run is interrupted; the body is not awaited, because not everything in it listens to the signal
 */
export async function executeCheck(check: Check, shared: SharedLab): Promise<CheckOutcome> {
  const { cluster, runId, stalls, clock = systemClock } = shared.deps;
  const from = clock.now();
  const withStalls = (outcome: Attempt['outcome']): CheckOutcome => {
    const stalled = stalls?.stalls(from, clock.now()) ?? [];
    return stalled.length > 0 ? { ...outcome, stalls: stalled } : outcome;
  };
  const first = await attempt(check, shared);
  if (first.doubt === undefined) return withStalls(first.outcome);
  if (!first.isRepeatable) return withStalls(inDoubt(first.outcome, first.doubt));
  shared.deps.log.warn('repeating a check', { id: check.id, because: first.doubt });
  if (check.options.exclusive === true || shared.deps.subject.once === true)
    await terminatingPodsGone(cluster.kube, runId, {
      ...shared.deps,
      clock,
      namespaces: shared.deps.subject.once === true,
    });
  const second = await attempt(check, shared);
  const both = joined(first, second);
  return withStalls(
    second.doubt === undefined ? both : inDoubt(both, `${second.doubt}, as in the first attempt`),
  );
}

interface Attempt {
  outcome: Omit<CheckOutcome, 'stalls'>;
  /** Why its failure says nothing about the subject. */
  doubt: string | undefined;
  /** Nothing is left of it that would affect another attempt. */
  isRepeatable: boolean;
}

async function attempt(check: Check, shared: SharedLab): Promise<Attempt> {
  const { signal, log, disposable } = shared.deps;
  throwIfAborted(signal);
  const lifecycle = new Lifecycle(log);
  const capabilities: CapabilityResult[] = [];
  const observed: string[] = [];
  const notes: string[] = [];
  let failures: UndoFailure[] = [];
  const execution = execute(check, new Lab(shared, lifecycle, check.id), shared, {
    capabilities,
    observed,
    notes,
  });
  const { doubt, isRepeatable, ...ended } = await orInterrupted(execution, signal).finally(async () => {
    // What an interrupted check has set up is deleted with its cluster, if that is deleted.
    failures = signal.aborted && disposable ? [] : await lifecycle.close();
    for (const { title, error } of failures) observed.push(`teardown failed: ${title}: ${messageOf(error)}`);
  });
  return { outcome: { ...ended, capabilities }, doubt, isRepeatable: isRepeatable && failures.length === 0 };
}

/** A failure that proves nothing. */
function inDoubt(outcome: Attempt['outcome'], doubt: string): Attempt['outcome'] {
  const { result } = outcome;
  const reason = `${doubt}, which may be why it failed: ${result.reason ?? ''}`;
  const hint = 'Run again when the machine does nothing else.';
  const diagnosis = result.diagnosis && { ...result.diagnosis, summary: reason, hint };
  return { ...outcome, result: { ...result, status: 'errored', reason, ...(diagnosis && { diagnosis }) } };
}

/** The outcome of the second attempt, which also reports the first. */
function joined(first: Attempt, second: Attempt): Attempt['outcome'] {
  const [one, two] = [first.outcome.result, second.outcome.result];
  const { startedAt, durationMs, reason = '' } = one;
  const because = first.doubt ?? '';
  const artifacts = [...(one.artifacts ?? []), ...(two.artifacts ?? [])];
  return {
    ...second.outcome,
    capabilities: [...first.outcome.capabilities, ...second.outcome.capabilities],
    result: {
      ...two,
      startedAt,
      durationMs: Date.parse(two.startedAt) + two.durationMs - Date.parse(startedAt),
      observed: [
        `repeated, because ${because}; the first attempt failed: ${reason}`,
        ...one.observed,
        ...two.observed,
      ],
      namespaces: [...new Set([...one.namespaces, ...two.namespaces])],
      ...(artifacts.length > 0 && { artifacts }),
      attempts: [{ startedAt, durationMs, reason, because }],
    },
  };
}

/** What an attempt gathers, also when it throws. */
interface Gathered {
  assertions: { count: number };
  capabilities: CapabilityResult[];
  observed: string[];
  notes: string[];
}

async function execute(
  check: Check,
  lab: Lab,
  shared: SharedLab,
  gathered: Omit<Gathered, 'assertions'>,
): Promise<Omit<Attempt, 'outcome'> & Omit<Attempt['outcome'], 'capabilities'>> {
  const { stalls, log, advice, clock = systemClock } = shared.deps;
  const { observed, notes } = gathered;
  const assertions = { count: 0 };
  const start = clock.now();
  let extendedMs = 0;
  const base = {
    id: check.id,
    suite: check.suite,
    file: check.file,
    title: check.title,
    requirements: [...check.requirements],
    startedAt: new Date(start).toISOString(),
  };
  const result = (status: CheckResult['status'], rest: Partial<CheckResult> = {}): CheckResult => ({
    ...base,
    status,
    durationMs: clock.now() - start,
    assertions: assertions.count,
    observed,
    namespaces: [...lab.namespaces],
    ...(notes.length > 0 && { notes }),
    ...(extendedMs > 0 && { extendedMs }),
    ...rest,
  });
  const certain = { doubt: undefined, isRepeatable: false };
  const onExtension = (text: string, extraMs: number): void => {
    observed.push(text);
    extendedMs += extraMs;
  };
  const rests = { onSharedRelease: false };
  try {
    const account = stalls && { lostTime: stalls, onExtension };
    await withLostTime(account, () => run(check, lab, shared, { ...gathered, assertions }, rests));
    return { ...certain, result: result('passed') };
  } catch (error) {
    // An aborted call may surface as another error.
    if (error instanceof InterruptedError || shared.deps.signal.aborted) throw error;
    const status = statusOfError(error, check.options);
    if (error instanceof BlockedError)
      return { ...certain, result: result('blocked', { reason: error.message, blockedBy: error.by }) };
    if (status === 'skipped' || status === 'not-applicable')
      return { ...certain, result: result(status, { reason: firstLine(messageOf(error)) }) };
    log.error('check failed', {
      id: check.id,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    // What a check reads from rendered manifests does not depend on time.
    const isTimeless = check.options.static === true || status === 'errored';
    const span = { from: start, to: clock.now() };
    const lost = isTimeless ? undefined : await lab.lostPrerequisite();
    const doubt = (stalls && !isTimeless ? stallBehind(error, span, stalls) : undefined) ?? lost;
    const outage = await clusterOutage(shared, error);
    if (outage) {
      return {
        ...certain,
        result: result('errored', { reason: outage.message }),
        infrastructure: outage,
      };
    }
    const artifacts = await evidence(check, lab, shared, start);
    const diagnosis = await diagnosisOf(error, lab, shared, start);
    const reason = firstLine(messageOf(error));
    // Without the shared release nothing was checked, so its failure is never a matter of advice.
    const because = whyAdvice(error);
    const mayWarn = advice !== undefined && status === 'failed' && !rests.onSharedRelease;
    if (mayWarn && because !== undefined) notes.push(`advice, because ${because}`);
    const isMild = mayWarn && (because !== undefined || isAdvice(check.requirements, advice));
    return {
      result: result(isMild ? 'warning' : status, {
        reason,
        diagnosis,
        artifacts,
        ...(isMild && because !== undefined && { adviceBecause: because }),
      }),
      doubt,
      isRepeatable:
        !rests.onSharedRelease &&
        !changesSharedRelease(check) &&
        // The shared release has the loss in its history.
        (lost === undefined || check.options.release === 'none'),
    };
  }
}

/** Such a check may have left the shared release in another state. */
function changesSharedRelease({ options }: Check): boolean {
  return options.disruptive === true && options.release !== 'none';
}

/**
 * Runs the body of a check.
 *
 * @param rests `onSharedRelease` stays set when the shared release cannot be had: it is installed only once
 * @throws CheckSkipped when the cluster lacks a capability
 */
async function run(
  check: Check,
  lab: Lab,
  shared: SharedLab,
  { assertions, capabilities, observed, notes }: Gathered,
  rests: { onSharedRelease: boolean },
): Promise<void> {
  const { cluster, subject, clock = systemClock } = shared.deps;
  for (const need of check.options.needs ?? []) {
    const capability = await cluster.capability(need);
    capabilities.push(capability);
    if (!capability.present) {
      throw new CheckSkipped(`the cluster lacks ${need}: ${capability.evidence}`);
    }
  }
  rests.onSharedRelease = (check.options.release ?? 'shared') === 'shared';
  const release = rests.onSharedRelease ? await lab.shared() : undefined;
  rests.onSharedRelease = false;
  const sink = (predicate: PredicateResult): void => {
    observed.push(...(predicate.observed ?? []));
  };
  const body = async (): Promise<void> => {
    await check.run({
      lab,
      get release() {
        if (release) return release;
        throw new InfrastructureError(
          'E_NO_RELEASE',
          `check ${check.id} asked for the shared release but declares release: 'none'`,
        );
      },
      cluster,
      kube: cluster.kube,
      subject,
      observe: (text) => observed.push(text),
      note: (text) => notes.push(text),
    });
  };
  const limitMs = check.options.timeoutMs ?? CHECK_TIMEOUT_MS;
  const limited = (): Promise<void> => endInTime(body(), limitMs, { lab, clock });
  await countAssertions(assertions, () => observeResults(sink, limited));
  if (assertions.count === 0) throw vacuous(subject.reference);
}

/** A check that asserts nothing about the reference subject is defective. Another subject may lack what the check is about. */
function vacuous(isReference: boolean): Error {
  if (!isReference) return new DoesNotFit('the subject has nothing that the check asserts something about');
  return new InfrastructureError(
    'E_VACUOUS',
    'the check made no assertion, so it would pass whatever the chart does',
    { hint: 'Assert something with expect(), or delete the check.' },
  );
}

/**
 * A body that does not end in time is not awaited any longer, so that its failure can be diagnosed and reported. The time in which it waits
 * for prerequisites does not count: they have a limit of their own.
 */
async function endInTime(
  work: Promise<void>,
  limitMs: number,
  { lab, clock }: { lab: Lab; clock: Clock },
): Promise<void> {
  const startedAt = clock.now();
  let late: Error | undefined;
  let granted = lab.preparingMs(startedAt);
  for (let ms = limitMs; ; granted += ms) {
    try {
      await endWithin(ms, work, (state) => (late = tooLate(state, limitMs, startedAt)), clock);
      return;
    } catch (error) {
      ms = lab.preparingMs(clock.now()) - granted;
      if (error !== late || ms <= 0) throw error;
    }
  }
}

function tooLate(state: BudgetState, limitMs: number, startedAt: number): Error {
  if (state.end === 'exhausted') return new MachineTooSlow('the check to end', state, limitMs);
  return new CheckFailure('E_CHECK_TIMEOUT', `the check did not end within ${seconds(limitMs)}`, {
    details: { what: 'its end', startedAt },
  });
}

/** A check may have failed because the cluster did; that says nothing about the subject. */
async function clusterOutage(shared: SharedLab, error: unknown): Promise<InfrastructureFailure | undefined> {
  try {
    // A loaded node may drop requests, and an API server needs 30 s to restart; only a longer absence is an outage.
    await waitFor({
      what: 'the API server to answer',
      timeoutMs: 90_000,
      intervalMs: 1000,
      clock: shared.deps.clock ?? systemClock,
      look: async () => {
        try {
          return { done: true, value: await shared.deps.cluster.kube.version() };
        } catch (unreachable) {
          return { done: false, seen: messageOf(unreachable) };
        }
      },
    });
    return undefined;
  } catch (unreachable) {
    const hint = error instanceof InfrastructureError ? error.hint : undefined;
    return {
      code: 'E_CLUSTER_LOST',
      message: `the cluster stopped answering during the checks: ${messageOf(unreachable)}`,
      hint: hint ?? 'Check that the container engine still runs (`npm run doctor`), then run again.',
    };
  }
}

async function evidence(check: Check, lab: Lab, shared: SharedLab, since: number): Promise<string[]> {
  const { cluster, runDirectory, redactor } = shared.deps;
  const files: string[] = [];
  for (const namespace of lab.namespaces) {
    const directory = join(runDirectory, check.id.replaceAll('#', '-'), namespace);
    try {
      const recording = await lab.recordingOf(namespace);
      const written = await collectEvidence(cluster.kube, namespace, directory, {
        redactor,
        recording,
        since,
      });
      files.push(...written.map((file) => relative(runDirectory, join(directory, file))));
    } catch (error) {
      shared.deps.log.warn('evidence could not be collected', { namespace, error: messageOf(error) });
    }
  }
  return files;
}

async function diagnosisOf(error: unknown, lab: Lab, shared: SharedLab, since: number): Promise<Diagnosis> {
  const summary = firstLine(error instanceof Error ? error.message : String(error));
  const { expected, actual } = comparison(error);
  const causes: Cause[] = [];
  const timeline: Diagnosis['timeline'] = [];
  let hint = error instanceof KindproofError ? error.hint : undefined;
  for (const namespace of lab.namespaces) {
    try {
      const recording = await lab.recordingOf(namespace);
      const found = await diagnose(shared.deps.cluster.kube, {
        namespace,
        symptom: [summary, actual].filter((part) => part !== undefined).join('\n'),
        since,
        ...(recording ? { recording } : {}),
      });
      causes.push(...found.causes);
      timeline.push(...found.timeline);
      hint ??= found.hint;
    } catch (failure) {
      shared.deps.log.warn('diagnosis failed', { namespace, error: messageOf(failure) });
    }
  }
  if (timeline.length === 0 && error instanceof WaitTimeout) {
    timeline.push(...error.history.map(({ afterMs, seen }) => ({ afterMs, text: seen })));
  }
  return {
    summary,
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
    causes,
    ...(hint === undefined ? {} : { hint }),
    timeline,
  };
}

/** Expected and actual values that a matcher attached to its error. */
function comparison(error: unknown): { expected?: string; actual?: string } {
  if (typeof error !== 'object' || error === null) return {};
  const { expected, actual } = error as { expected?: unknown; actual?: unknown };
  return {
    ...(expected === undefined ? {} : { expected: text(expected) }),
    ...(actual === undefined ? {} : { actual: text(actual) }),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 6, breakLength: Infinity });
}
