import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../harness/run/plan/options.ts';
import { e2eArguments, parseGateOptions } from './gate-options.ts';

const ignore = (): void => {};

describe('parseGateOptions', () => {
  it.each([
    [[], { prove: true, proveSample: 8 }],
    [['--prove-sample', '3'], { prove: true, proveSample: 3 }],
    [['--no-prove'], { prove: false }],
  ])('proves a sample of faults by default: %j', (argv, expected) => {
    expect(parseGateOptions(['--suite', 'toolman', ...argv], ignore)).toMatchObject(expected);
  });

  it.each([
    [[], /--suite/],
    [['--suite', 'toolman', '--prove-sample', '0'], /whole number/],
    [['--suite', 'toolman', '--chrat', 'x'], /--chart/],
  ])('rejects %j', (argv, message) => {
    expect(() => parseGateOptions(argv, ignore)).toThrow(message);
  });

  it('returns undefined for --help', () => {
    const printed: string[] = [];
    expect(parseGateOptions(['--help'], (text) => printed.push(text))).toBeUndefined();
    expect(printed.join('')).toContain('Exit codes');
  });

  it('says in --help what the evidence contains of --set', () => {
    const printed: string[] = [];
    parseGateOptions(['--help'], (text) => printed.push(text));
    expect(printed.join('')).toMatch(/evidence contains --set, .*db\.password masked/);
  });
});

describe('e2eArguments', () => {
  it('request a strict run on a new cluster', () => {
    const gate = parseGateOptions(
      [
        ...['--suite', 'toolman', '--chart', '../chart', '--values', 'a.yaml', 'b.yaml', '--set', 'x=-1'],
        ...['--image', 'toolman=me/toolman:1', '--kubernetes', 'v1.36.3', '--out', 'evidence'],
        ...['--timeout', '50m', '--prerequisites', 'db.yaml', 'cache.yaml'],
        ...['--timeout', '50m', '--previous', 'oci://r.example/c/chart', '--previous-version', '1.3.0'],
        ...['--previous-values', 'old.yaml'],
      ],
      ignore,
    );
    const options = parseOptions(e2eArguments(gate!), ignore);
    expect(options).toMatchObject({
      suites: ['toolman'],
      previous: 'oci://r.example/c/chart',
      previousVersion: '1.3.0',
      previousValues: ['old.yaml'],
      strict: true,
      chart: '../chart',
      values: ['a.yaml', 'b.yaml'],
      set: ['x=-1'],
      prerequisites: ['db.yaml', 'cache.yaml'],
      images: { toolman: 'me/toolman:1' },
      kubernetes: 'v1.36.3',
      out: 'evidence',
      timeout: 3_000_000,
      prove: true,
      checks: true,
      sample: 8,
      cluster: 'kind',
      keep: false,
      reuse: false,
    });
  });

  it('request only the checks with --no-prove', () => {
    const gate = parseGateOptions(['--suite', 'toolman', '--no-prove'], ignore);
    expect(parseOptions(e2eArguments(gate!), ignore)).toMatchObject({ prove: false, checks: false });
  });

  it('request only the checks of a platform', () => {
    const gate = parseGateOptions(['--suite', 'mcp-server', '--platform', 'mine.yaml'], ignore);
    expect(parseOptions(e2eArguments(gate!), ignore)).toMatchObject({ platform: 'mine.yaml', prove: false });
  });
});
