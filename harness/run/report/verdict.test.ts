import { describe, expect, it } from 'vitest';
import type { Report } from './model.ts';
import {
  sampleCheck,
  sampleFailure,
  sampleProof,
  sampleReport,
  sampleMisfit,
  sampleSkip,
  sampleWarning,
} from '../../testing/sample-report.ts';
import { countsLine, countsOf, verdictOf } from './verdict.ts';
import { summaryOfCheck } from './wording.ts';

const run = (exitCode: number, error?: Report['run']['error']): Report['run'] => ({
  ...sampleReport().run,
  exitCode,
  ...(error ? { error } : {}),
});
const broken = { code: 'E_COMMAND', message: 'kind failed' };

describe('the counts', () => {
  it('include proofs: only a caught fault has passed', () => {
    const counts = countsOf({
      checks: [sampleCheck(), sampleSkip(), sampleFailure()],
      proofs: [sampleProof(), sampleProof({ outcome: 'missed' }), sampleProof({ outcome: 'wrong-reason' })],
    });

    expect(countsLine(counts)).toBe('2 passed, 3 failed, 1 skipped');
  });

  it('have a warning as passed, and what is not applicable as skipped', () => {
    const counts = countsOf({ checks: [sampleWarning(), sampleMisfit(), sampleMisfit()] });
    expect(countsLine(counts)).toBe('1 passed, 0 failed, 2 skipped');
  });
});

const other = sampleProof({ fault: 'any-node' });
const skipped = (id: string) => sampleSkip({ id: `toolman/${id}`, requirements: [id] });

describe('the verdict', () => {
  it.each<[string, Partial<Report>, string, number, string, string]>([
    ['all passed', { checks: [sampleCheck()], proofs: [] }, 'passed', 0, 'passed', 'Passed'],
    ['a skip', { checks: [sampleCheck(), sampleSkip()], proofs: [] }, 'passed', 0, 'passed', 'Passed'],
    ['a warning', { checks: [sampleCheck(), sampleWarning()], proofs: [] }, 'passed', 0, 'passed', 'Passed'],
    [
      'what is not applicable',
      { checks: [sampleCheck(), sampleMisfit()], proofs: [] },
      'passed',
      0,
      'passed',
      'Passed',
    ],
    [
      'nothing that is applicable',
      { checks: [sampleMisfit()], proofs: [] },
      'none',
      3,
      'no verdict: no check of suite toolman ran: it was not applicable to this subject',
      'No verdict: nothing was checked',
    ],
    [
      'nothing that is applicable, and skips',
      { checks: [sampleMisfit(), sampleSkip()], proofs: [other] },
      'none',
      3,
      'no verdict: no check of suite toolman ran: all 2 were skipped or not applicable',
      'No verdict: nothing was checked',
    ],
    ['faults', { checks: [], proofs: [other] }, 'passed', 0, 'every fault was caught', 'Passed'],
    [
      'a failed check',
      { checks: [sampleCheck(), sampleFailure()], proofs: [] },
      'failed',
      1,
      '1 of 2 checks failed',
      'Failed: 1 of 2 checks',
    ],
    [
      'a missed fault',
      { checks: [], proofs: [other, sampleProof({ outcome: 'missed' })] },
      'failed',
      1,
      '1 of 2 faults were not caught',
      'Failed: 1 of 2 faults not caught',
    ],
    [
      'a failed check and an errored one',
      { checks: [sampleFailure(), sampleCheck({ status: 'errored' })], proofs: [] },
      'failed',
      1,
      '1 of 2 checks failed, 1 errored',
      'Failed: 1 of 2 checks',
    ],
    [
      'an errored check',
      { checks: [sampleCheck(), sampleFailure({ status: 'errored', reason: 'no exec' })], proofs: [] },
      'none',
      3,
      'no verdict: 1 check could not run, first toolman/T-28: no exec',
      'No verdict: not everything could be checked',
    ],
    [
      'an errored proof',
      { checks: [sampleCheck()], proofs: [other, sampleProof({ outcome: 'errored', reason: 'no exec' })] },
      'none',
      3,
      'no verdict: 1 fault could not be proven, first single-replica: no exec',
      'No verdict: not everything could be checked',
    ],
    [
      'nothing at all',
      { checks: [], proofs: [] },
      'none',
      3,
      'no verdict: no check ran',
      'No verdict: nothing was checked',
    ],
    [
      'only skips',
      { checks: [sampleSkip()], proofs: [] },
      'none',
      3,
      'no verdict: no check of suite toolman ran: it was skipped',
      'No verdict: nothing was checked',
    ],
    [
      'only skips in one of two suites',
      {
        checks: [skipped('T-1'), skipped('T-2'), sampleCheck({ id: 'agent/G-1', suite: 'agent' })],
        proofs: [],
      },
      'none',
      3,
      'no verdict: no check of suite toolman ran: all 2 were skipped',
      'No verdict: nothing was checked',
    ],
    [
      'only skips, and caught faults',
      { checks: [sampleSkip()], proofs: [other] },
      'none',
      3,
      'no verdict: no check of suite toolman ran: it was skipped',
      'No verdict: nothing was checked',
    ],
    [
      'faults of which none is provable',
      { checks: [], proofs: [sampleProof({ outcome: 'not-provable' })] },
      'none',
      3,
      'no verdict: no fault was proven: none is provable here',
      'No verdict: nothing was checked',
    ],
    [
      'passed checks and faults of which none is provable',
      { checks: [sampleCheck()], proofs: [sampleProof({ outcome: 'not-provable' })] },
      'none',
      3,
      'no verdict: no fault was proven: none is provable here',
      'No verdict: nothing was checked',
    ],
    [
      'a caught fault and one that is not provable',
      { checks: [sampleCheck()], proofs: [sampleProof({ outcome: 'not-provable' }), other] },
      'passed',
      0,
      'passed',
      'Passed',
    ],
    [
      'leftovers after a pass',
      { checks: [sampleCheck()], proofs: [], leftovers: ['container kp-1'] },
      'passed',
      3,
      'passed, but not everything was removed',
      'Passed, but not everything was removed',
    ],
    [
      'leftovers after a failure',
      { checks: [sampleFailure()], proofs: [], leftovers: ['container kp-1'] },
      'failed',
      1,
      '1 of 1 checks failed',
      'Failed: 1 of 1 check',
    ],
    [
      'a broken cluster',
      { checks: [], proofs: [], run: run(3, broken) },
      'none',
      3,
      'no verdict: kind failed',
      'No verdict: infrastructure failed',
    ],
    [
      'a signal',
      { checks: [], proofs: [], run: run(130, broken) },
      'none',
      130,
      'interrupted',
      'No verdict: interrupted',
    ],
    [
      'wrong usage',
      { checks: [], proofs: [], run: run(2, broken) },
      'none',
      2,
      'no verdict: kind failed',
      'No verdict: wrong usage',
    ],
  ])('of %s', (_, parts, tone, exitCode, text, headline) => {
    expect(verdictOf(sampleReport(parts))).toMatchObject({ tone, exitCode, text, headline });
  });

  it('never takes an exit code of 0 or 1 from a run that ended with an error', () => {
    for (const exitCode of [0, 1]) {
      const report = sampleReport({ checks: [sampleCheck()], proofs: [], run: run(exitCode, broken) });
      expect(verdictOf(report)).toMatchObject({ tone: 'none', exitCode: 3 });
    }
  });

  it('of one of several parts is about this part', () => {
    const report = sampleReport({ checks: [sampleCheck()], proofs: [] });
    report.plan!.shard = { index: 2, count: 3, of: 33 };
    expect(verdictOf(report)).toMatchObject({
      text: 'passed: part 2 of 3',
      headline: 'Passed: part 2 of 3',
      sentence: '1 check passed. All 3 parts together have 33 checks.',
    });
  });

  it('mentions checks that failed before the infrastructure did', () => {
    const report = sampleReport({ checks: [sampleFailure()], proofs: [], run: run(3, broken) });

    expect(verdictOf(report).sentence).toBe('Failed before that: 1 of 1 check.');
  });

  it('says nothing about a subject whose checks could not be run', () => {
    const errored = sampleFailure({ status: 'errored' });
    const report = sampleReport({ checks: [sampleCheck(), errored], proofs: [], run: run(3, broken) });

    expect(verdictOf(report).sentence).toBe('This run says nothing about the subject.');
    expect(summaryOfCheck(errored)).toMatch(/^could not be checked: /);
  });
});

describe('the sentence of the verdict', () => {
  const sentence = (...checks: Report['checks']) => verdictOf(sampleReport({ checks, proofs: [] })).sentence;

  it('tells warnings and misfits of a pass', () => {
    expect(sentence(sampleCheck(), sampleWarning(), sampleMisfit(), sampleSkip())).toBe(
      '2 checks passed, 1 with a warning. 1 not applicable to this subject. 1 skipped.',
    );
    expect(sentence(sampleCheck(), sampleSkip())).toBe('1 check passed. 1 skipped.');
  });

  it('tells warnings of a failure', () => {
    expect(sentence(sampleFailure(), sampleWarning())).toBe('1 warning.');
    expect(sentence(sampleFailure())).toBe('');
  });
});
