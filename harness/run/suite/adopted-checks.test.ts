import { describe, expect, it } from 'vitest';
import { adoptedChecks } from './adopted-checks.ts';
import type { Check, CheckOptions } from './check.ts';

function check(suite: string, requirements: string[], options: CheckOptions = {}): Check {
  const id = `${suite}/${requirements[0] ?? ''}`;
  return { id, suite, file: `${suite}.e2e.ts`, title: 'is so', requirements, options, run: () => {} };
}

const generic = [
  check('any-chart', ['X-13'], { first: true }),
  check('any-chart', ['X-22', 'X-01']),
  check('any-chart', ['X-25'], { disruptive: true }),
];

const adopted = (
  shared: string[],
  { rows = [], own = [] }: { rows?: { id: string; checkedBy?: string }[]; own?: Check[] } = {},
): string[][] =>
  adoptedChecks(generic, { suite: { name: 'toolman', shared }, rows, own }).map(({ requirements }) => [
    ...requirements,
  ]);

describe('adoptedChecks', () => {
  it('takes those of the shared requirements, on the subject of the suite', () => {
    const [first] = adoptedChecks(generic, {
      suite: { name: 'toolman', shared: ['X-13'] },
      rows: [],
      own: [],
    });
    expect(first).toMatchObject({ suite: 'toolman', file: 'any-chart.e2e.ts', options: { first: false } });
    expect(adopted(['X-13', 'X-01'])).toEqual([['X-13'], ['X-01']]);
  });

  it('adds the rows that say the same', () => {
    expect(adopted(['X-22', 'X-01'], { rows: [{ id: 'T-21', checkedBy: 'X-01' }, { id: 'T-22' }] })).toEqual([
      ['X-22', 'X-01', 'T-21'],
    ]);
  });

  it('leaves a requirement to the suite that has a check of its own', () => {
    const own = [check('toolman', ['T-21', 'X-01'])];
    expect(adopted(['X-22', 'X-01'], { own })).toEqual([['X-22']]);
    expect(adopted(['X-01'], { own })).toEqual([]);
  });

  it('takes one that disturbs releases of its own, too', () => {
    expect(adopted(['X-25'])).toEqual([['X-25']]);
    expect(adopted(['X-25'], { rows: [{ id: 'T-61', checkedBy: 'X-25' }] })).toEqual([['X-25', 'T-61']]);
  });
});
