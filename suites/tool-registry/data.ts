/** What is stored in the registry's tables, and whether an upgrade kept it. */
import { z } from 'zod';
import type { Database } from '../../fixtures/services/postgres-types.ts';
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import { nothingWrong } from '../../harness/observe/predicates/result.ts';

/** Rows by table and by their first column, which is their key. */
export type Rows = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

const rowSchema = z.object({ row: z.record(z.string(), z.unknown()) });

/** Every row of the tables that hold what users have registered and done. */
export async function readRows(database: Database): Promise<Rows> {
  const rows = new Map<string, Record<string, unknown>>();
  for (const table of ['tools', 'tool_executions']) {
    const found = await database.query(`select to_jsonb(t) as row from ${table} t`, [], rowSchema);
    for (const { row } of found) rows.set(`${table} ${String(row['id'])}`, row);
  }
  return rows;
}

/** Every row that was there is there, with the same values; columns and rows may have come. */
export function dataKept(before: Rows, after: Rows): PredicateResult {
  const complaints = [...before].flatMap(([key, row]) => {
    const now = after.get(key);
    if (!now) return [`row ${key} is lost`];
    return Object.entries(row).flatMap(([column, value]) =>
      column in now
        ? JSON.stringify(now[column]) === JSON.stringify(value)
          ? []
          : [`row ${key}: ${column} has changed`]
        : [`row ${key}: column ${column} is lost`],
    );
  });
  const verdict = nothingWrong(`the ${before.size} rows that there were are kept`, complaints);
  return {
    ...verdict,
    // Of no rows everything is true.
    ok: verdict.ok && before.size > 0,
    observed: [`${before.size} rows before, ${after.size} after`],
  };
}
