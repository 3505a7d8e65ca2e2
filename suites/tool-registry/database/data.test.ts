import { describe, expect, it } from 'vitest';
import type { Database } from '../../../fixtures/services/postgres-types.ts';
import { dataKept, readRows } from './data.ts';

const before = new Map([['tools 1', { id: 1, name: 'a', input_schema: { type: 'object' } }]]);

describe('dataKept', () => {
  it.each<[string, Record<string, unknown>]>([
    ['the same', { id: 1, name: 'a', input_schema: { type: 'object' } }],
    ['a new column', { id: 1, name: 'a', input_schema: { type: 'object' }, owner: null }],
  ])('holds for %s', (_what, row) => {
    expect(
      dataKept(
        before,
        new Map([
          ['tools 1', row],
          ['tools 2', { id: 2 }],
        ]),
      ),
    ).toMatchObject({ ok: true, observed: ['1 rows before, 2 after'] });
  });

  it.each<[string, [string, Record<string, unknown>][], string]>([
    ['a row', [], 'row tools 1 is lost'],
    ['a column', [['tools 1', { id: 1, name: 'a' }]], 'row tools 1: column input_schema is lost'],
    [
      'a value',
      [['tools 1', { id: 1, name: 'b', input_schema: { type: 'object' } }]],
      'row tools 1: name has changed',
    ],
  ])('reports a loss of %s', (_what, rows, actual) => {
    expect(dataKept(before, new Map(rows))).toMatchObject({ ok: false, actual });
  });

  it('does not hold without rows', () => {
    expect(dataKept(new Map(), before).ok).toBe(false);
  });
});

describe('readRows', () => {
  it('returns the rows of both tables by table and id', async () => {
    const database = {
      query: (sql: string) => Promise.resolve(sql.includes('tool_executions') ? [] : [{ row: { id: 7 } }]),
    } as unknown as Database;
    expect([...(await readRows(database))]).toEqual([['tools 7', { id: 7 }]]);
  });
});
