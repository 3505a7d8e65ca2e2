/** The rows of the registry's tables, and whether an upgrade kept them. */
import { z } from 'zod';
import type { Database } from '../../../fixtures/services/postgres-types.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';

/** Rows by table and id. */
export type Rows = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

const rowSchema = z.object({ row: z.record(z.string(), z.unknown()) });

/** Every row of the tables with user data. */
export async function readRows(database: Database): Promise<Rows> {
  const rows = new Map<string, Record<string, unknown>>();
  for (const table of ['tools', 'tool_executions']) {
    const found = await database.query(`select to_jsonb(t) as row from ${table} t`, [], rowSchema);
    for (const { row } of found) rows.set(`${table} ${String(row['id'])}`, row);
  }
  return rows;
}

/** Every row still exists with the same values; new columns and rows are allowed. */
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
  const result = nothingWrong(`the ${before.size} rows from before are kept`, complaints);
  return {
    ...result,
    // Without rows nothing would be proven.
    ok: result.ok && before.size > 0,
    observed: [`${before.size} rows before, ${after.size} after`],
  };
}
