import { describe, expect, it } from 'vitest';
import { parseBenchOptions } from './bench-options.ts';

describe('parseBenchOptions', () => {
  it.each([
    [[], { runs: 3, suite: 'toolman', json: false, bare: undefined, peers: false }],
    [['--runs', '1', '--json'], { runs: 1, suite: 'toolman', json: true, bare: undefined, peers: false }],
    [['--bare'], { runs: 3, suite: 'toolman', json: false, bare: true, peers: false }],
    [['--peers', '--runs', '5'], { runs: 5, suite: 'toolman', json: false, bare: undefined, peers: true }],
    [
      ['--bare', 'runs/latest'],
      { runs: 3, suite: 'toolman', json: false, bare: 'runs/latest', peers: false },
    ],
  ])('parses %j', (argv, options) => {
    expect(parseBenchOptions(argv, () => {})).toEqual(options);
  });

  it.each([
    [['--runs', '0'], /whole number/],
    [['--bare', '--runs', '2'], /measures nothing/],
    [['--rnus', '2'], /--runs/],
    [['--peers', '--bare'], /a chart of its own/],
    [['--peers', '--suite', 'toolman'], /a chart of its own/],
  ])('rejects %j', (argv, message) => {
    expect(() => parseBenchOptions(argv, () => {})).toThrow(message);
  });
});
