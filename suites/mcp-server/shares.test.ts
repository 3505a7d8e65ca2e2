import { describe, expect, it } from 'vitest';
import { sharesAreFair } from './shares.ts';

const answers = (counts: Record<string, number>): string[] =>
  Object.entries(counts).flatMap(([name, count]) => Array.from({ length: count }, () => name));

describe('sharesAreFair', () => {
  it.each([
    ['even shares', { a: 50, b: 50 }, ['a', 'b'], true],
    ['shares that chance explains', { a: 67, b: 33 }, ['a', 'b'], true],
    ['shares that chance does not explain', { a: 80, b: 20 }, ['a', 'b'], false],
    ['one replica for all', { a: 100, b: 0 }, ['a', 'b'], false],
    ['a replica that is left out', { a: 50, b: 50 }, ['a', 'b', 'c'], false],
    ['a stranger', { a: 50, b: 50, x: 1 }, ['a', 'b'], false],
    ['three replicas', { a: 30, b: 41, c: 29 }, ['a', 'b', 'c'], true],
    ['no requests', {}, ['a', 'b'], false],
    ['one replica only', { a: 100 }, ['a'], false],
  ] as const)('judges %s', (_title, counts, replicas, ok) => {
    expect(sharesAreFair(answers(counts), replicas).ok).toBe(ok);
  });

  it('names the replica and its share', () => {
    const { details } = sharesAreFair(answers({ a: 100 }), ['a', 'b']);
    expect(details).toEqual(['a answered 100 of 100 requests', 'b answered 0 of 100 requests']);
  });

  it('is a test with the stated false-alarm rate', () => {
    // Of 100 fair choices, the bounds of two replicas hold all but a millionth.
    const bounds = Array.from({ length: 101 }, (_, count) => count).filter(
      (count) => sharesAreFair(answers({ a: count, b: 100 - count }), ['a', 'b']).ok,
    );
    expect([bounds[0], bounds.at(-1)]).toEqual([25, 75]);
  });
});
