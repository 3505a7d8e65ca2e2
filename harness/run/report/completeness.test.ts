import { describe, expect, it } from 'vitest';
import { sampleCheck, sampleFailure, sampleProof, sampleReport } from '../../testing/sample-report.ts';
import { noVerdict } from './completeness.ts';
import type { Report } from './model.ts';
import { verdictOf } from './verdict.ts';

const check = sampleCheck();
const other = sampleCheck({ id: 'toolman/T-28', requirements: ['T-28'] });
const proof = sampleProof();

/** A passed run of two checks and a fault, of which something else was reported. */
function reported(results: Partial<Pick<Report, 'checks' | 'proofs'>>): Report {
  const { plan, ...whole } = sampleReport({ checks: [check, other], proofs: [proof], run: passedRun });
  return { ...whole, plan, ...results };
}
const passedRun = { ...sampleReport().run, exitCode: 0, verdict: 'passed' };

describe('a run whose results are complete', () => {
  it.each<[string, Report]>([
    ['in the order of the plan', reported({})],
    ['in another order', reported({ checks: [other, check] })],
    ['with a failure', reported({ checks: [check, { ...other, status: 'failed' }] })],
    [
      'with a promise that is advice for this subject',
      reported({ checks: [check, { ...other, status: 'warning', adviceBecause: 'it has one replica' }] }),
    ],
  ])('%s has no gap', (_, report) => {
    expect(noVerdict(report)).toBeUndefined();
    expect(verdictOf(report).tone).not.toBe('none');
  });

  it('may have a blocked check when another reports the failure', () => {
    const blocked = { ...other, status: 'blocked', blockedBy: check.id } as const;
    expect(noVerdict(reported({ checks: [{ ...check, status: 'failed' }, blocked] }))).toBeUndefined();
  });
});

describe('a run has no verdict and exit code 3 when', () => {
  it.each<[string, Report, string]>([
    ['a check has no result', reported({ checks: [check] }), 'toolman/T-28 has no result'],
    ['a fault has no result', reported({ proofs: [] }), 'fault single-replica of toolman has no result'],
    [
      'a check has two results',
      reported({ checks: [check, other, { ...other, status: 'failed' }] }),
      'toolman/T-28 was reported 2 times: passed, failed',
    ],
    [
      'a fault has two results',
      reported({ proofs: [proof, { ...proof, outcome: 'missed' }] }),
      'fault single-replica of toolman was reported 2 times: caught, missed',
    ],
    [
      'a result belongs to no planned check',
      reported({ checks: [check, other, sampleFailure({ id: 'toolman/T-99' })] }),
      'toolman/T-99 was reported without being planned',
    ],
    [
      'a result belongs to another suite',
      reported({ checks: [check, { ...other, suite: 'agent' }] }),
      'toolman/T-28 has no result; toolman/T-28 of agent was reported without being planned',
    ],
    [
      'a result is about another requirement',
      reported({ checks: [check, { ...other, requirements: ['T-29'] }] }),
      'toolman/T-28 was planned for T-28 and reported for T-29',
    ],
    [
      'a check is blocked by one that passed',
      reported({ checks: [check, { ...other, status: 'blocked', blockedBy: check.id }] }),
      'toolman/T-28 is blocked by toolman/T-35, which reports no failure',
    ],
    [
      'a promise is reported as a warning',
      reported({ checks: [check, { ...other, status: 'warning' }] }),
      'toolman/T-28 was reported as a warning and planned as a promise',
    ],
    [
      'a check is blocked by a warning',
      (() => {
        const blocked = { ...other, status: 'blocked', blockedBy: check.id } as const;
        const report = reported({ checks: [{ ...check, status: 'warning' }, blocked] });
        report.plan!.checks[0]!.level = 'advice';
        return report;
      })(),
      'toolman/T-28 is blocked by toolman/T-35, which reports no failure',
    ],
    [
      'a check is blocked by nothing',
      reported({ checks: [check, { ...other, status: 'blocked' }] }),
      'toolman/T-28 is blocked by an unnamed check, which reports no failure',
    ],
  ])('%s', (_, report, gap) => {
    const message = `what was planned and what was reported differ: ${gap}`;
    expect(noVerdict(report)).toMatchObject({ code: 'E_INCOMPLETE', message });
    expect(verdictOf(report)).toMatchObject({ tone: 'none', exitCode: 3 });
  });

  it('nothing was planned', () => {
    const report = reported({});
    delete report.plan;
    expect(noVerdict(report)?.message).toContain('the run planned nothing');
    expect(verdictOf(report)).toMatchObject({ tone: 'none', exitCode: 3 });
  });

  it('a check failed and another has no result: the other results cannot be relied on', () => {
    const report = reported({ checks: [{ ...check, status: 'failed' }] });
    expect(verdictOf(report)).toMatchObject({
      exitCode: 3,
      sentence: 'Failed before that: 1 of 1 check.',
    });
  });
});

describe('faults that are not provable here', () => {
  const notProvable = { ...proof, outcome: 'not-provable' } as const;
  const second = sampleProof({ fault: 'any-node' });

  it('lead to no verdict when all planned ones are, also when every check passed', () => {
    const report = reported({ proofs: [notProvable] });
    expect(noVerdict(report)).toMatchObject({
      code: 'E_NOTHING_CHECKED',
      message: 'no fault was proven: none is provable here',
    });
    expect(verdictOf(report)).toMatchObject({ tone: 'none', exitCode: 3 });
  });

  it('do not hide that a check failed', () => {
    const report = reported({ checks: [check, { ...other, status: 'failed' }], proofs: [notProvable] });
    expect(verdictOf(report)).toMatchObject({ tone: 'failed', exitCode: 1 });
  });

  it('count neither way beside one that was caught', () => {
    const report = sampleReport({ checks: [check], proofs: [notProvable, second], run: passedRun });
    expect(noVerdict(report)).toBeUndefined();
  });
});
