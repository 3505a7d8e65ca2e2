import { describe, expect, it } from 'vitest';
import { faultOf, resultTable, type Result } from './result.ts';

function result(outcome: Partial<Result['outcome']> = {}, needsSweep?: boolean): Result {
  return {
    scenario: { title: 'SIGINT', exitCodes: [130], ...(needsSweep === undefined ? {} : { needsSweep }) },
    outcome: { exitCode: 130, verdict: 'interrupted', left: [], leftAfterSweep: [], tail: '', ...outcome },
  };
}

describe('faultOf', () => {
  it.each<[string, Result, RegExp | undefined]>([
    ['as it must', result(), undefined],
    ['a wrong exit code', result({ exitCode: 1 }), /^exit code 1, not 130$/],
    ['something left', result({ left: ['container a'] }), /^left behind: container a$/],
    ['something left that a sweep removed', result({ left: ['container a'] }, true), undefined],
    [
      'a sweep that left something',
      result({ leftAfterSweep: ['container a'] }, true),
      /after the sweep: container a/,
    ],
    ['passed, although the exit code says otherwise', result({ verdict: 'passed' }), /report says passed/],
    ['no disturbance', result({ problem: 'the run ended before it printed /x/' }), /ended before/],
  ])('%s', (_, one, expected) => {
    expect(faultOf(one) ?? 'none').toMatch(expected ?? /^none$/);
  });
});

describe('resultTable', () => {
  it('has a row for each disturbance', () => {
    expect(resultTable([result(), result({ exitCode: 1 })])).toBe(
      [
        '| disturbance | exit | verdict | leftovers |  |',
        '| --- | ---: | --- | ---: | --- |',
        '| SIGINT | 130 | interrupted | 0 | ✓ |',
        '| SIGINT | 1 | interrupted | 0 | exit code 1, not 130 |',
      ].join('\n'),
    );
  });
});
