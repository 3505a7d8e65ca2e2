/** The main process' end of the channel from the worker: reads each test's record and passes results to the run. */
import { relative } from 'node:path';
import type { Reporter, TestCase, Vitest } from 'vitest/node';
import { z } from 'zod';
import { InfrastructureError } from '../../core/errors.ts';
import type { FoundSecrets } from '../../core/redact.ts';
import type { CapabilityResult } from '../../kube/cluster/cluster.ts';
import type { CheckResult, Proof, Stall } from '../report/model.ts';
import { COUNTED_AS, isUncaught } from '../report/verdict.ts';
import type { Check } from '../suite/check.ts';
import { testRecord, type InfrastructureFailure, type TestRecord } from '../suite/test-record.ts';

export interface CheckListener {
  onStart(check: Pick<Check, 'id' | 'title'>, suite: string): void;
  /** Called when a check or proof starts or ends, with the names of all that run now. */
  onRunning(names: readonly string[]): void;
  /** Called before anything that may contain them. */
  onSecrets(found: FoundSecrets): void;
  onCheck(result: CheckResult): void;
  onCapabilities(proven: readonly CapabilityResult[]): void;
  onProof(proof: Proof): void;
  onStalls(stalls: readonly Stall[]): void;
  /** Something about the whole run, for its reader. */
  onNotice(text: string): void;
}

/** How the worker ended, apart from the results of checks and proofs. */
export interface RunnerSummary {
  infrastructure?: InfrastructureFailure;
  /** Files that failed to load, errors outside of checks, unreadable records: defects of the suite or of kindproof. */
  errors: string[];
  interrupted: boolean;
  /** Why the thread ended before its work did. */
  died?: string;
}

/** The error of a run whose worker did not do all of its work; `undefined` when only the results count. */
export function failureOf({ infrastructure, died, errors }: RunnerSummary): InfrastructureError | undefined {
  if (infrastructure) {
    return new InfrastructureError('E_CLUSTER_LOST', infrastructure.message, { hint: infrastructure.hint });
  }
  if (died !== undefined) {
    return new InfrastructureError('E_WORKER_DIED', died, {
      hint: 'The chart is not the cause. Free memory, raise the limit with NODE_OPTIONS=--max-old-space-size=4096, or run fewer checks at once.',
    });
  }
  if (errors.length === 0) return undefined;
  return new InfrastructureError('E_SUITE', `not all checks could run: ${errors.join('; ')}`, {
    hint: 'This is a defect of the suite or of kindproof, not of the chart.',
  });
}

/** Passes on what vitest reports. */
export interface ResultReporter extends Reporter {
  /** Call it when the worker has died: everything that was running is reported as errored. */
  reportDeath(reason: string): void;
}

/** A vitest reporter that calls the listener. It ends the run when the cluster fails. */
export function resultReporter(
  { listener, root }: { listener: CheckListener; root: string },
  summary: RunnerSummary,
  vitest: () => Vitest,
): ResultReporter {
  const running = new Map<TestCase, TestRecord>();
  const onRunning = (): void => {
    const nameOf = (record: TestRecord): string =>
      record.type === 'check' ? record.check.id : `fault ${record.fault.fault}`;
    listener.onRunning([...running.values()].map(nameOf));
  };
  return {
    onTestCaseReady(testCase) {
      // What cannot be read is reported when the test has ended.
      const record = testRecord.safeParse(testCase.meta().kindproof).data;
      if (!record || (record.type === 'check' && !record.selected)) return;
      running.set(testCase, record);
      onRunning();
      if (record.type === 'check') listener.onStart(record.check, testCase.project.name);
    },
    reportDeath(reason) {
      for (const [testCase, record] of running) {
        if (record.type === 'proof') listener.onProof(deadProof(testCase, record, reason));
        else listener.onCheck(deadCheck(testCase, record, root, reason));
      }
      running.clear();
      onRunning();
    },
    onTestCaseResult(testCase) {
      if (running.delete(testCase)) onRunning();
      const { kindproofSecrets } = testCase.meta();
      if (kindproofSecrets) listener.onSecrets(kindproofSecrets);
      // Results of checks that were running when the cluster failed mean nothing.
      if (summary.infrastructure) return;
      const record = read(testCase);
      if (typeof record === 'string') {
        summary.errors.push(record);
        return;
      }
      if (record.type === 'check' && !record.selected) return;
      const { outcome } = record;
      if (outcome) listener.onCapabilities(outcome.capabilities);
      if (outcome?.stalls) listener.onStalls(outcome.stalls);
      if (outcome?.notice !== undefined) listener.onNotice(outcome.notice);
      if (outcome?.infrastructure) {
        summary.infrastructure = outcome.infrastructure;
        // The remaining checks would fail in the same way.
        vitest()
          .cancelCurrentRun('test-failure')
          .catch(() => {});
        return;
      }
      // An interrupted test has no result, or one that its runner no longer knows.
      const isDead =
        !summary.interrupted && (outcome ? isContradicted(testCase, record) : hasEnded(testCase));
      if (record.type === 'proof') {
        if (isDead) listener.onProof(deadProof(testCase, record));
        else if (record.outcome) listener.onProof(record.outcome.proof);
      } else {
        if (isDead) listener.onCheck(deadCheck(testCase, record, root));
        else if (record.outcome) {
          const { result } = record.outcome;
          listener.onCheck({ ...result, file: relative(root, result.file) });
        }
      }
    },
    onTestRunEnd(_modules, _errors, reason) {
      if (reason === 'interrupted' && !summary.infrastructure) summary.interrupted = true;
    },
  };
}

/** The record of a test, or why it cannot be read. A result must be about the check or fault that the test was declared for. */
function read(testCase: TestCase): TestRecord | string {
  const { success, data, error } = testRecord.safeParse(testCase.meta().kindproof);
  const where = `the record of "${testCase.name}" in ${testCase.project.name} cannot be read`;
  if (!success) return `${where}: ${z.prettifyError(error).replaceAll('\n', ' ')}`;
  if (!data.outcome) return data;
  const [declared, reported] =
    data.type === 'check'
      ? [
          `${testCase.project.name} ${data.check.id}`,
          `${data.outcome.result.suite} ${data.outcome.result.id}`,
        ]
      : [
          `${data.fault.suite} ${data.fault.fault}`,
          `${data.outcome.proof.suite} ${data.outcome.proof.fault}`,
        ];
  return declared === reported ? data : `${where}: it is about ${declared} and reports ${reported}`;
}

/** The test runner saw another end than the record: an error behind the back of the check, or a limit that was exceeded. */
function isContradicted(testCase: TestCase, record: TestRecord): boolean {
  const { state } = testCase.result();
  if (record.type === 'proof')
    return record.outcome?.proof && !isUncaught(record.outcome.proof) ? state !== 'passed' : false;
  const status = record.outcome?.result.status;
  return status !== undefined && COUNTED_AS[status] !== 'failed' && state !== COUNTED_AS[status];
}

/** A test that was cancelled or never started has no result; it is missing from the report, which says so. */
function hasEnded(testCase: TestCase): boolean {
  const { state } = testCase.result();
  return state === 'failed' || state === 'passed';
}

/** A check that ended outside of the kit: vitest's own timeout, or a defect of the harness. */
function deadCheck(
  testCase: TestCase,
  { check }: Extract<TestRecord, { type: 'check' }>,
  root: string,
  reason = errorsOf(testCase),
): CheckResult {
  const diagnostic = testCase.diagnostic();
  return {
    id: check.id,
    title: check.title,
    suite: testCase.project.name,
    file: relative(root, check.file),
    requirements: [...check.requirements],
    status: 'errored',
    durationMs: diagnostic?.duration ?? 0,
    assertions: 0,
    observed: [],
    namespaces: [],
    reason,
    startedAt: new Date(diagnostic?.startTime ?? Date.now()).toISOString(),
  };
}

function deadProof(
  testCase: TestCase,
  { fault }: Extract<TestRecord, { type: 'proof' }>,
  reason = errorsOf(testCase),
): Proof {
  return {
    ...fault,
    outcome: 'errored',
    reason: `the proof ended early: ${reason}`,
    durationMs: testCase.diagnostic()?.duration ?? 0,
    namespaces: [],
  };
}

function errorsOf(testCase: TestCase): string {
  const { state, errors = [] } = testCase.result();
  if (errors.length > 0) return errors.map(({ message }) => message).join('; ');
  return `the test runner says ${state}, and its record does not`;
}
