import { describe, expect, it } from 'vitest';
import { parseBenchOptions } from './bench-options.ts';

describe('parseBenchOptions', () => {
  it.each([
    [[], { runs: 3, suite: 'toolman', json: false, bare: undefined }],
    [['--runs', '1', '--json'], { runs: 1, suite: 'toolman', json: true, bare: undefined }],
    [['--bare'], { runs: 3, suite: 'toolman', json: false, bare: true }],
    [['--bare', 'runs/latest'], { runs: 3, suite: 'toolman', json: false, bare: 'runs/latest' }],
  ])('parses %j', (argv, options) => {
    expect(parseBenchOptions(argv, () => {})).toEqual(options);
  });

  it.each([
    [['--runs', '0'], /whole number/],
    [['--bare', '--runs', '2'], /measures nothing/],
    [['--rnus', '2'], /--runs/],
  ])('rejects %j', (argv, message) => {
    expect(() => parseBenchOptions(argv, () => {})).toThrow(message);
  });
});
