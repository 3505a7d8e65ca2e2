/** Runs one check and returns its outcome; diagnoses a failure while its objects still exist. */
import { join, relative } from 'node:path';
import { inspect } from 'node:util';
import {
  type Clock,
  orInterrupted,
  seconds,
  systemClock,
  throwIfAborted,
  waitFor,
  WaitTimeout,
} from '../../core/deadline.ts';
import {
  CheckFailure,
  InfrastructureError,
  InterruptedError,
  KindproofError,
  messageOf,
} from '../../core/errors.ts';
import { Lifecycle } from '../../core/lifecycle.ts';
import { firstLine } from '../../core/wording.ts';
import { collectEvidence } from '../../observe/diagnose/evidence.ts';
import { diagnose } from '../../observe/diagnose/diagnose.ts';
import { ApiError } from '../../kube/api/errors.ts';
import type { PredicateResult } from '../../observe/predicates/result.ts';
import { observeResults } from '../../observe/matchers/result-sink.ts';
import type { CapabilityResult } from '../../kube/cluster/cluster.ts';
import type { CheckResult } from '../report/model.ts';
import type { Cause, Diagnosis } from '../../observe/diagnose/diagnosis.ts';
import { countAssertions } from './assertions.ts';
import { CheckSkipped, type Check } from './check.ts';
import { Lab } from './lab.ts';
import { BlockedError, type SharedLab } from './shared-lab.ts';
import type { CheckOutcome, InfrastructureFailure } from './test-record.ts';

/** Limit of a check that declares none. */
export const CHECK_TIMEOUT_MS = 300_000;

/**
 * Runs a check and takes down what it has set up.
 *
 * @throws InterruptedError when the run is interrupted; the body is not awaited, because not everything in it listens to the signal
 */
export async function executeCheck(check: Check, shared: SharedLab): Promise<CheckOutcome> {
  const { signal, log, disposable } = shared.deps;
  throwIfAborted(signal);
  const lifecycle = new Lifecycle(log);
  const capabilities: CapabilityResult[] = [];
  const observed: string[] = [];
  try {
    const running = execute(check, new Lab(shared, lifecycle, check.id), shared, { capabilities, observed });
    return { ...(await orInterrupted(running, signal)), capabilities };
  } finally {
    // What an interrupted check has set up is deleted with its cluster, if that is deleted.
    const failures = signal.aborted && disposable ? [] : await lifecycle.close();
    for (const { title, error } of failures) observed.push(`teardown failed: ${title}: ${messageOf(error)}`);
  }
}

async function execute(
  check: Check,
  lab: Lab,
  shared: SharedLab,
  { capabilities, observed }: { capabilities: CapabilityResult[]; observed: string[] },
): Promise<Omit<CheckOutcome, 'capabilities'>> {
  const { cluster, subject, log } = shared.deps;
  const counter = { count: 0 };
  const start = Date.now();
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
    durationMs: Date.now() - start,
    assertions: counter.count,
    observed,
    namespaces: [...new Set(lab.touched.map((t) => t.namespace))],
    ...rest,
  });
  try {
    for (const need of check.options.needs ?? []) {
      const capability = await cluster.capability(need);
      capabilities.push(capability);
      if (!capability.present) {
        return { result: result('skipped', { reason: `the cluster lacks ${need}: ${capability.evidence}` }) };
      }
    }
    const usesShared = (check.options.release ?? 'shared') === 'shared';
    const release = usesShared ? await lab.shared() : undefined;
    const sink = (predicate: PredicateResult): void => {
      observed.push(...(predicate.observed ?? []));
    };
    const body = async (): Promise<void> => {
      await check.run({
        lab,
        get release() {
          if (release) return release;
          throw new CheckFailure(
            'E_NO_RELEASE',
            `check ${check.id} asked for the shared release but declares release: 'none'`,
          );
        },
        cluster,
        kube: cluster.kube,
        subject,
        observe: (text) => observed.push(text),
      });
    };
    const limitMs = check.options.timeoutMs ?? CHECK_TIMEOUT_MS;
    const limited = (): Promise<void> => endWithin(limitMs, body, shared.deps.clock ?? systemClock);
    await countAssertions(counter, () => observeResults(sink, limited));
    if (counter.count === 0) {
      throw new CheckFailure(
        'E_VACUOUS',
        'the check made no assertion, so it would pass whatever the chart does',
        {
          hint: 'Assert something with expect(), or delete the check.',
        },
      );
    }
    return { result: result('passed') };
  } catch (error) {
    // An aborted call may surface as another error.
    if (error instanceof InterruptedError || shared.deps.signal.aborted) throw error;
    if (error instanceof CheckSkipped) return { result: result('skipped', { reason: error.message }) };
    if (error instanceof BlockedError) {
      return { result: result('blocked', { reason: error.message, blockedBy: error.by }) };
    }
    log.error('check failed', {
      id: check.id,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    const outage = await clusterOutage(shared, error);
    if (outage) return { result: result('errored', { reason: outage.message }), infrastructure: outage };
    const artifacts = await evidence(check, lab, shared);
    const diagnosis = await diagnosisOf(error, lab, shared, start);
    const reason = firstLine(messageOf(error));
    return {
      result: result(isInfrastructure(error) ? 'errored' : 'failed', { reason, diagnosis, artifacts }),
    };
  }
}

/** The engine, a tool or the connection failed. An error that the API server returns is about the request of the check. */
function isInfrastructure(error: unknown): boolean {
  return error instanceof InfrastructureError && !(error instanceof ApiError);
}

/** A body that does not end in time is not awaited any longer, so that its failure can be diagnosed and reported. */
async function endWithin(ms: number, body: () => Promise<void>, clock: Clock): Promise<void> {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(() => {
    throw new CheckFailure('E_CHECK_TIMEOUT', `the check did not end within ${seconds(ms)}`);
  });
  const running = body();
  // The slower of the two has no listener.
  for (const promise of [late, running]) promise.catch(() => {});
  try {
    await Promise.race([running, late]);
  } finally {
    over.abort();
  }
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

async function evidence(check: Check, lab: Lab, shared: SharedLab): Promise<string[]> {
  const { cluster, runDirectory, redact } = shared.deps;
  const files: string[] = [];
  for (const namespace of new Set(lab.touched.map((t) => t.namespace))) {
    const directory = join(runDirectory, check.id.replaceAll('#', '-'), namespace);
    try {
      const written = await collectEvidence(cluster.kube, namespace, directory, { redact });
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
  for (const namespace of new Set(lab.touched.map((t) => t.namespace))) {
    try {
      const recording = lab.touched.find((t) => t.namespace === namespace && t.release)?.release?.recording;
      const found = await diagnose(shared.deps.cluster.kube, {
        namespace,
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
