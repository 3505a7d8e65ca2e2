import { describe, expect, it } from 'vitest';
import {
  sampleCheck,
  sampleFailure,
  sampleProof,
  sampleReport,
} from '../../harness/testing/sample-report.ts';
import type { Report } from '../../harness/run/report/model.ts';
import { decide, decisionLine, exitCodeOfDecision } from './decide.ts';

const passedRun = { ...sampleReport().run, exitCode: 0, verdict: 'passed' };

function passing(overrides: Partial<Report> = {}): Report {
  return sampleReport({ run: passedRun, checks: [sampleCheck()], proofs: [sampleProof()], ...overrides });
}

const expected = { proofs: true, chartUnchanged: true };

describe('decide', () => {
  it('releases when every check passed and every fault was caught', () => {
    const decision = decide(passing(), expected);
    expect(decisionLine(decision)).toBe('release');
    expect(exitCodeOfDecision(decision, passing())).toBe(0);
  });

  it('names the failed checks', () => {
    const report = passing({ run: { ...passedRun, exitCode: 1 }, checks: [sampleCheck(), sampleFailure()] });
    const decision = decide(report, expected);
    expect(decisionLine(decision)).toBe(
      'do not release: T-28 failed: 2 of 3 replicas became available within 90 s',
    );
    expect(exitCodeOfDecision(decision, report)).toBe(1);
  });

  it('does not release when a fault was missed', () => {
    const missed = sampleProof({ fault: 'any-node', outcome: 'missed', reason: 'T-53 passed' });
    const report = passing({ run: { ...passedRun, exitCode: 1 }, proofs: [sampleProof(), missed] });
    expect(decisionLine(decide(report, expected))).toBe(
      'do not release: fault any-node was missed: T-53 passed',
    );
  });

  it.each([
    ['the cluster could not be created', 3, 'E_CLUSTER_CREATE', 3],
    ['the values violate the schema of the chart', 2, 'E_VALUES', 2],
    ['interrupted', 130, 'E_INTERRUPTED', 130],
  ])('gives no verdict when %s', (message, exitCode, code, own) => {
    const report = passing({ run: { ...passedRun, exitCode, error: { code, message } }, checks: [] });
    const decision = decide(report, expected);
    expect(decisionLine(decision)).toBe(`no verdict: ${message} (${code})`);
    expect(exitCodeOfDecision(decision, report)).toBe(own);
  });

  it('gives no verdict when a check errored', () => {
    const error = { code: 'E_CHECKS_NOT_MADE', message: '1 check could not run' };
    const errored = sampleFailure({ status: 'errored' });
    const report = passing({ run: { ...passedRun, exitCode: 3, error }, checks: [sampleCheck(), errored] });
    expect(decisionLine(decide(report, expected))).toBe(
      'no verdict: 1 check could not run (E_CHECKS_NOT_MADE)',
    );
  });

  it('does not release when a check failed before the infrastructure', () => {
    const error = { code: 'E_CLUSTER_LOST', message: 'the cluster stopped answering' };
    const report = passing({ run: { ...passedRun, exitCode: 3, error }, checks: [sampleFailure()] });
    expect(decide(report, expected).decision).toBe('do not release');
    expect(decide(report, expected).reasons.at(-1)).toContain('E_CLUSTER_LOST');
  });

  it.each([
    ['no check ran', { checks: [] }, expected, 'no check ran'],
    ['no fault was injected', { proofs: [] }, expected, 'no fault was injected'],
    ['the chart changed', {}, { proofs: true, chartUnchanged: false }, 'changed during'],
  ])('gives no verdict when %s', (_case, overrides, wanted, reason) => {
    const decision = decide(passing(overrides), wanted);
    expect(decision.decision).toBe('no verdict');
    expect(decision.reasons[0]).toContain(reason);
  });

  it('shows at most three reasons', () => {
    const checks = ['T-01', 'T-02', 'T-03', 'T-04', 'T-05'].map((id) =>
      sampleFailure({ id: `toolman/${id}`, reason: 'no' }),
    );
    expect(decisionLine(decide(passing({ checks }), expected))).toBe(
      'do not release: T-01 failed: no; T-02 failed: no; T-03 failed: no; and 2 more reasons',
    );
  });
});
