import { describe, expect, it } from 'vitest';
import { unchanged } from './applied-objects.ts';

const before = new Map([
  ['ConfigMap a', '1'],
  ['Secret b', 'hunter22'],
]);

describe('unchanged', () => {
  it.each([
    ['the same', before, undefined],
    ['another value', new Map([...before, ['Secret b', 'hunter23']]), 'Secret b has changed'],
    ['one less', new Map([['ConfigMap a', '1']]), 'Secret b is gone'],
    ['one more', new Map([...before, ['Service c', '1']]), 'Service c is created'],
  ])('%s', (_title, after, complaint) => {
    const result = unchanged(before, after);
    expect(result).toMatchObject(complaint === undefined ? { ok: true } : { ok: false, actual: complaint });
    expect(JSON.stringify(result)).not.toContain('hunter');
  });

  it('does not hold without objects', () => {
    expect(unchanged(new Map(), new Map()).ok).toBe(false);
  });
});
