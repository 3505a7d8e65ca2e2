import { describe, expect, it } from 'vitest';
import type { Report } from './model.ts';
import {
  sampleCheck,
  sampleFailure,
  sampleProof,
  sampleReport,
  sampleSkip,
} from '../../testing/sample-report.ts';
import { countsLine, countsOf, verdictOf, summaryOfCheck } from './verdict.ts';

const run = (exitCode: number, error?: Report['run']['error']): Report['run'] => ({
  ...sampleReport().run,
  exitCode,
  ...(error ? { error } : {}),
});
const broken = { code: 'E_COMMAND', message: 'kind failed' };

describe('the counts', () => {
  it('count proofs beside checks: only a caught fault has passed', () => {
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
      'skips that --strict counts as failures',
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

  it('mentions failures that came before the infrastructure failed', () => {
    const report = sampleReport({ checks: [sampleFailure()], proofs: [], run: run(3, broken) });

    expect(verdictOf(report).sentence).toContain('Red already before that: 1 of 1 check.');
  });

  it('says nothing about a subject whose checks could not be made', () => {
    const errored = sampleFailure({ status: 'errored' });
    const report = sampleReport({ checks: [sampleCheck(), errored], proofs: [], run: run(3, broken) });

    expect(verdictOf(report).sentence).toBe('This run says nothing about a release.');
    expect(summaryOfCheck(errored)).toMatch(/^could not be checked: /);
  });
});
