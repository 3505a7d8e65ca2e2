import { describe, expect, it } from 'vitest';
import { sampleCheck, sampleReport } from '../../testing/sample-report.ts';
import { coverageOf } from './coverage.ts';
import type { CheckResult, Report, RequirementRow } from './model.ts';
import { verdictOf } from './verdict.ts';

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
        check('warning', 'T-10'),
        check('not-applicable', 'T-1', 'T-11'),
      ],
      requirements: [
        ...[1, 2, 3, 4, 5, 6, 7].map((n) => rowOf(`T-${n}`, 'toolman', 'covered')),
        rowOf('T-8', 'toolman', 'uncovered'),
        rowOf('T-9', 'toolman', 'not-applicable'),
        rowOf('T-10', 'toolman', 'covered'),
        rowOf('T-11', 'toolman', 'covered'),
        rowOf('R-1', 'tool-registry', 'covered'),
      ],
    });

    expect(coverageOf(report)).toEqual([{ suite: 'toolman', checked: 4, notApplicable: 2, notChecked: 5 }]);
    expect(verdictOf(report).coverage).toEqual([
      'toolman: 4 of 11 requirements checked, 2 not applicable, 5 not checked',
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
