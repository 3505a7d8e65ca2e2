import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../harness/run/plan/options.ts';
import { e2eArguments, parseGateOptions } from './gate-options.ts';

const ignore = (): void => {};

describe('parseGateOptions', () => {
  it('proves a sample unless told otherwise', () => {
    expect(parseGateOptions(['--suite', 'toolman'], ignore)?.proveSample).toBe(8);
    expect(parseGateOptions(['--suite', 'toolman', '--prove-sample', '3'], ignore)?.proveSample).toBe(3);
    expect(parseGateOptions(['--suite', 'toolman', '--no-prove'], ignore)?.proveSample).toBe(0);
  });

  it.each([
    [[], /--suite/],
    [['--suite', 'toolman', '--prove-sample', '0'], /whole number/],
    [['--suite', 'toolman', '--chrat', 'x'], /--chart/],
  ])('refuses %j', (argv, message) => {
    expect(() => parseGateOptions(argv, ignore)).toThrow(message);
  });

  it('prints help and runs nothing', () => {
    const printed: string[] = [];
    expect(parseGateOptions(['--help'], (text) => printed.push(text))).toBeUndefined();
    expect(printed.join('')).toContain('Exit codes');
  });
});

describe('e2eArguments', () => {
  it('stand for a strict run on a cluster of its own that e2e understands', () => {
    const gate = parseGateOptions(
      [
        ...['--suite', 'toolman', '--chart', '../chart', '--values', 'a.yaml', 'b.yaml', '--set', 'x=-1'],
        ...['--image', 'toolman=me/toolman:1', '--kubernetes', 'v1.36.3', '--out', 'evidence'],
      ],
      ignore,
    );
    const options = parseOptions(e2eArguments(gate!), ignore);
    expect(options).toMatchObject({
      suites: ['toolman'],
      strict: true,
      chart: '../chart',
      values: ['a.yaml', 'b.yaml'],
      set: ['x=-1'],
      images: { toolman: 'me/toolman:1' },
      kubernetes: 'v1.36.3',
      out: 'evidence',
      prove: true,
      checks: true,
      sample: 8,
      cluster: 'kind',
      keep: false,
      reuse: false,
    });
  });

  it('without proofs ask for the checks alone', () => {
    const gate = parseGateOptions(['--suite', 'toolman', '--no-prove'], ignore);
    expect(parseOptions(e2eArguments(gate!), ignore)).toMatchObject({ prove: false, checks: false });
  });
});
