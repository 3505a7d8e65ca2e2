import { describe, expect, it } from 'vitest';
import type { CheckResult, Report, RequirementRow } from './model.ts';
import {
  sampleCheck,
  sampleFailure,
  sampleProof,
  sampleReport,
  sampleSkip,
} from '../../testing/sample-report.ts';
import { countsLine, countsOf, coverageOf, verdictOf } from './verdict.ts';
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
});

describe('the verdict', () => {
  it.each<[string, Partial<Report>, string, string]>([
    ['all passed', { checks: [sampleCheck()], proofs: [], run: run(0) }, 'passed', 'Passed'],
    [
      'a failed check',
      { checks: [sampleCheck(), sampleFailure()], proofs: [], run: run(1) },
      'failed',
      'Failed: 1 of 2 checks',
    ],
    [
      'a missed fault',
      { checks: [], proofs: [sampleProof(), sampleProof({ outcome: 'missed' })], run: run(1) },
      'failed',
      'Failed: 1 of 2 faults not caught',
    ],
    [
      'a broken cluster',
      { checks: [], proofs: [], run: run(3, broken) },
      'none',
      'No verdict: infrastructure failed',
    ],
    ['a signal', { checks: [], proofs: [], run: run(130, broken) }, 'none', 'No verdict: interrupted'],
    ['nothing at all', { checks: [], proofs: [], run: run(0) }, 'none', 'No verdict: no check ran'],
    ['only skips', { checks: [sampleSkip()], proofs: [], run: run(0) }, 'none', 'No verdict: no check ran'],
    [
      'skipped checks under --strict',
      {
        checks: [sampleCheck(), sampleSkip()],
        proofs: [],
        run: { ...run(1), verdict: 'skips under --strict' },
      },
      'failed',
      'Failed: skips under --strict',
    ],
  ])('of %s', (_, parts, tone, headline) => {
    expect(verdictOf(sampleReport(parts))).toMatchObject({ tone, headline });
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

describe('the coverage', () => {
  const rowOf = (id: string, suite: string, status: RequirementRow['status']): RequirementRow => ({
    id,
    suite,
    status,
    source: 'x.md',
    requirement: 'x',
    checks: [],
    faults: [],
  });

  it('counts a requirement as checked only when a check of it passed or failed in this run', () => {
    const check = (status: CheckResult['status'], ...requirements: string[]) =>
      sampleCheck({ status, requirements });
    const report = sampleReport({
      checks: [
        check('passed', 'T-1', 'T-2'),
        check('failed', 'T-3'),
        check('skipped', 'T-4'),
        check('blocked', 'T-5'),
        check('errored', 'T-6'),
      ],
      requirements: [
        ...[1, 2, 3, 4, 5, 6, 7].map((n) => rowOf(`T-${n}`, 'toolman', 'covered')),
        rowOf('T-8', 'toolman', 'uncovered'),
        rowOf('T-9', 'toolman', 'not-applicable'),
        rowOf('R-1', 'tool-registry', 'covered'),
      ],
    });

    expect(coverageOf(report)).toEqual([{ suite: 'toolman', checked: 3, notApplicable: 1, notChecked: 5 }]);
    expect(verdictOf(report).coverage).toEqual([
      'toolman: 3 of 9 requirements checked, 1 not applicable, 5 not checked',
    ]);
  });

  it('counts requirements of every suite separately', () => {
    const report = sampleReport({
      checks: [sampleCheck({ requirements: ['X-1'] })],
      requirements: [rowOf('X-1', 'all', 'covered')],
    });

    expect(verdictOf(report).coverage).toEqual(['shared: 1 of 1 requirement checked']);
  });

  it.each<[string, Partial<Report>]>([
    ['requirement rows', { requirements: [] }],
    ['checks', { checks: [] }],
  ])('is empty without %s', (_, parts) => {
    expect(verdictOf(sampleReport(parts)).coverage).toEqual([]);
  });
});
