import { describe, expect, it } from 'vitest';
import {
  sampleCheck,
  sampleFailure,
  sampleMisfit,
  sampleProof,
  sampleReport,
  sampleWarning,
} from '../../harness/testing/sample-report.ts';
import type { Report } from '../../harness/run/report/model.ts';
import { decide, decisionLine, exitCodeOfDecision, type Circumstances } from './decide.ts';

const passedRun = { ...sampleReport().run, exitCode: 0, verdict: 'passed' };

/** What was planned is what was reported. */
function passing(overrides: Partial<Report> = {}): Report {
  const checks = overrides.checks ?? [sampleCheck()];
  const proofs = overrides.proofs ?? [sampleProof()];
  return sampleReport({
    run: passedRun,
    checks,
    proofs,
    plan: { checks, proofs },
    leftovers: [],
    ...overrides,
  });
}

const expected: Circumstances = { proofs: true, chartUnchanged: true, imageProblems: [], dirty: false };

describe('decide', () => {
  it('releases when every check passed and every fault was caught', () => {
    const decision = decide(passing(), expected);
    expect(decisionLine(decision)).toBe('release');
    expect(exitCodeOfDecision(decision, passing())).toBe(0);
  });

  it('releases with warnings and with checks that are not applicable', () => {
    const report = sampleReport({
      run: passedRun,
      checks: [sampleCheck(), sampleWarning(), sampleMisfit()],
      proofs: [sampleProof()],
      leftovers: [],
    });
    expect(decisionLine(decide(report, expected))).toBe('release');
  });

  it('gives no verdict when no check is applicable', () => {
    const report = passing({ checks: [sampleMisfit()] });
    expect(decisionLine(decide(report, expected))).toMatch(/^no verdict: /);
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

  it('releases although a fault is not provable with the subject', () => {
    const other = sampleProof({ fault: 'other', outcome: 'not-provable', reason: 'it does not fit' });
    expect(decisionLine(decide(passing({ proofs: [sampleProof(), other] }), expected))).toBe('release');
  });

  it('gives no verdict when no fault of the sample is provable', () => {
    const proofs = [sampleProof({ outcome: 'not-provable', reason: 'it does not fit' })];
    expect(decide(passing({ proofs }), expected)).toEqual({
      decision: 'no verdict',
      reasons: ['no fault was injected, so nothing proves that the checks detect defects'],
    });
  });

  it('gives no verdict when a fault could not be proven', () => {
    const errored = sampleProof({ fault: 'other', outcome: 'errored', reason: 'the node is gone' });
    const proofs = [sampleProof(), errored];
    expect(decisionLine(decide(passing({ proofs }), expected))).toBe(
      'no verdict: fault other could not be proven: the node is gone',
    );
  });

  it('does not release when one fault was missed and another could not be proven', () => {
    const proofs = [
      sampleProof({ fault: 'any-node', outcome: 'missed', reason: 'T-53 passed' }),
      sampleProof({ fault: 'other', outcome: 'errored', reason: 'the node is gone' }),
    ];
    const report = passing({ run: { ...passedRun, exitCode: 1 }, proofs });
    expect(decide(report, expected).decision).toBe('do not release');
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

  it.each(['E_REPORT_WRITE', 'E_REPORT_INVALID', 'E_INCOMPLETE'])(
    'gives no verdict after %s, also when a check failed: nothing in the report can be relied on',
    (code) => {
      const run = { ...passedRun, exitCode: 3, error: { code, message: 'the report is not whole' } };
      for (const checks of [[sampleCheck()], [sampleFailure()]]) {
        expect(decide(passing({ run, checks }), expected)).toEqual({
          decision: 'no verdict',
          reasons: [`the report is not whole (${code})`],
        });
      }
    },
  );

  it('gives no verdict when the run left something behind', () => {
    const report = passing({ run: { ...passedRun, exitCode: 3 }, leftovers: ['cluster kp-x'] });
    expect(decide(report, expected).decision).toBe('no verdict');
  });

  it.each<[string, Partial<Report>, Partial<Circumstances>, string]>([
    ['no check ran', { checks: [] }, {}, 'no check ran'],
    ['no fault was injected', { proofs: [] }, {}, 'no fault was injected'],
    ['the chart changed', {}, { chartUnchanged: false }, 'changed during'],
    ['another image ran', {}, { imageProblems: ['container a of pod n/p runs b'] }, 'pod n/p runs b'],
    ['kindproof has uncommitted changes', {}, { dirty: true }, 'pass --allow-dirty'],
  ])('gives no verdict when %s', (_case, overrides, circumstances, reason) => {
    const decision = decide(passing(overrides), { ...expected, ...circumstances });
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
