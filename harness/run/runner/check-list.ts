/**
 * Keeps which checks a suite declares beside its compiled code, which never changes: to find out, a thread has to load the whole suite.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { declaredCheck, type DeclaredCheck } from '../suite/test-record.ts';

export type ListedCheck = DeclaredCheck & { suite: string };

const listSchema: z.ZodType<ListedCheck[]> = z.array(declaredCheck.extend({ suite: z.string() }));

/** Compiled code is in a folder of its own for each state of the sources (scripts/compile.mjs); sources change in place. */
function listFile(file: string, suite: string): string | undefined {
  return file.endsWith('.mjs') && file.includes('/.cache/kindproof/')
    ? join(dirname(file), `${suite}.checks.json`)
    : undefined;
}

/**
 * The checks that were listed before.
 *
 * @param file declares the checks of the suite
 * @returns `undefined` when there is no complete list, and for sources
 */
export async function readList(file: string, suite: string): Promise<ListedCheck[] | undefined> {
  const at = listFile(file, suite);
  if (at === undefined) return undefined;
  try {
    return listSchema.parse(JSON.parse(await readFile(at, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Keeps a list for the next run; without the permission to write, the next run lists again. */
export async function writeList(file: string, suite: string, checks: readonly ListedCheck[]): Promise<void> {
  const at = listFile(file, suite);
  if (at === undefined) return;
  const draft = `${at}.${process.pid}`;
  await writeFile(draft, JSON.stringify(checks))
    .then(() => rename(draft, at))
    .catch(() => {});
}
