import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../harness/run/report/model.ts';
import { compareWithNames } from './compare-with-names.ts';

const stranger = { suite: 'app', chart: 'other', path: 'charts/other', set: ['a=b'], red: ['app/A-01'] };
const check = (id: string, status: CheckResult['status']): CheckResult =>
  ({ id: `app/${id}`, status, reason: 'why' }) as CheckResult;

describe('the results of a suite on a chart of somebody else', () => {
  it('are as expected when exactly the checks about names are red', () => {
    const checks = [check('A-01', 'failed'), check('A-02', 'passed'), check('A-03', 'not-applicable')];
    expect(compareWithNames({ stranger, checks })).toEqual({
      title: 'app on other a=b',
      lines: ['not-applicable  app/A-03  why'],
      checks: 3,
      unfit: 1,
      wrong: 0,
      errored: 0,
    });
  });

  it.each<[string, CheckResult[], string]>([
    [
      'another check is red',
      [check('A-01', 'failed'), check('A-02', 'failed')],
      'must not be red: failed  app/A-02',
    ],
    ['a name is not missed', [check('A-01', 'passed')], 'has to be red: passed  app/A-01'],
    [
      'a check about a name does not apply',
      [check('A-01', 'not-applicable')],
      'has to be red: not-applicable',
    ],
  ])('are wrong when %s', (_title, checks, line) => {
    const { wrong, lines } = compareWithNames({ stranger, checks });
    expect(wrong).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(line);
  });

  it('say nothing when a check errored', () => {
    expect(compareWithNames({ stranger, checks: [check('A-01', 'errored')] })).toMatchObject({
      wrong: 0,
      errored: 1,
    });
  });
});
