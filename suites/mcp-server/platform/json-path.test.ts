import { describe, expect, it } from 'vitest';
import { pathProblem, valueAt } from './json-path.ts';

const printed = { name: 'a', replicas: { ready: 2 }, pods: [{ name: 'p' }], 'odd key': true };

describe('valueAt', () => {
  it.each([
    ['$', printed],
    ['$.name', 'a'],
    ['$.replicas.ready', 2],
    ['$.pods[0].name', 'p'],
    ["$['odd key']", true],
    ['$.absent', undefined],
    ['$.name.deeper', undefined],
    ['$.pods[3].name', undefined],
  ])('finds %s', (path, value) => {
    expect(valueAt(printed, path)).toEqual(value);
  });
});

describe('pathProblem', () => {
  it.each(['$', '$.a', '$.a-b[10]', "$['a.b'].c"])('accepts %s', (path) => {
    expect(pathProblem(path)).toBeUndefined();
  });

  it.each(['', 'a.b', '.a', '$a', '$.', '$.a[', '$.a[x]', '$..a', '$.a b'])('refuses "%s"', (path) => {
    expect(pathProblem(path)).toContain('is no path such as');
  });
});
