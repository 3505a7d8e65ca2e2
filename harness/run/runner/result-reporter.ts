/** The main process' end of the channel from the worker: reads each test's record and passes results to the run. */
import { relative } from 'node:path';
import type { Reporter, TestCase, Vitest } from 'vitest/node';
import type { CapabilityResult } from '../../kube/cluster/cluster.ts';
import type { CheckResult, Proof } from '../report/model.ts';
import type { Check } from '../suite/check.ts';
import type { InfrastructureFailure, TestRecord } from '../suite/test-record.ts';

export interface CheckListener {
  onStart(check: Pick<Check, 'id' | 'title'>, suite: string): void;
  onCheck(result: CheckResult): void;
  onCapabilities(proven: readonly CapabilityResult[]): void;
  onProof(proof: Proof): void;
}

/** How the worker ended, apart from the results of checks and proofs. */
export interface RunnerSummary {
  infrastructure?: InfrastructureFailure;
  /** Files that failed to load, and errors outside of checks: defects of the suite. */
  errors: string[];
  interrupted: boolean;
}

/** A vitest reporter that calls the listener. It ends the run when the cluster fails. */
export function resultReporter(
  { listener, root }: { listener: CheckListener; root: string },
  summary: RunnerSummary,
  vitest: () => Vitest,
): Reporter {
  return {
    onTestCaseReady(testCase) {
      const record = testCase.meta().kindproof;
      if (record?.type === 'check' && record.selected) {
        listener.onStart(record.check, testCase.project.name);
      }
    },
    onTestCaseResult(testCase) {
      const record = testCase.meta().kindproof;
      // Results of checks that were running when the cluster failed mean nothing.
      if (!record || summary.infrastructure || (record.type === 'check' && !record.selected)) return;
      const { outcome } = record;
      if (outcome) listener.onCapabilities(outcome.capabilities);
      if (outcome?.infrastructure) {
        summary.infrastructure = outcome.infrastructure;
        // The remaining checks would fail in the same way.
        void vitest().cancelCurrentRun('test-failure');
        return;
      }
      const died = testCase.result().state === 'failed' && !summary.interrupted;
      if (record.type === 'proof') {
        if (record.outcome) listener.onProof(record.outcome.proof);
        else if (died) listener.onProof(deadProof(testCase, record));
        return;
      }
      const result = record.outcome?.result;
      if (result && !(died && result.status === 'passed')) {
        listener.onCheck({ ...result, file: relative(root, result.file) });
      } else if (died) listener.onCheck(deadCheck(testCase, record, root));
    },
    onTestRunEnd(_modules, _errors, reason) {
      if (reason === 'interrupted' && !summary.infrastructure) summary.interrupted = true;
    },
  };
}

/** A check that ended outside of the kit: vitest's own timeout, or a defect of the harness. */
function deadCheck(
  testCase: TestCase,
  { check }: Extract<TestRecord, { type: 'check' }>,
  root: string,
): CheckResult {
  const diagnostic = testCase.diagnostic();
  return {
    ...check,
    suite: testCase.project.name,
    file: relative(root, check.file),
    requirements: [...check.requirements],
    status: 'errored',
    durationMs: diagnostic?.duration ?? 0,
    assertions: 0,
    observed: [],
    namespaces: [],
    reason: errorsOf(testCase),
    startedAt: new Date(diagnostic?.startTime ?? Date.now()).toISOString(),
  };
}

function deadProof(testCase: TestCase, { fault }: Extract<TestRecord, { type: 'proof' }>): Proof {
  return {
    ...fault,
    outcome: 'missed',
    reason: `the proof ended early: ${errorsOf(testCase)}`,
    durationMs: testCase.diagnostic()?.duration ?? 0,
    namespaces: [],
  };
}

function errorsOf(testCase: TestCase): string {
  return (testCase.result().errors ?? []).map(({ message }) => message).join('; ');
}
