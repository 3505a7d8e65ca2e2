import { exitCodeOf, KindproofError, messageOf } from '../harness/core/errors.ts';

/** Writes an error with its hint and returns its exit code. */
export function reportFailure(error: unknown, write: (text: string) => void): number {
  const code = error instanceof KindproofError ? ` (${error.code})` : '';
  write(`✗ ${messageOf(error)}${code}\n`);
  if (error instanceof KindproofError && error.hint !== undefined) write(`  ${error.hint}\n`);
  // An unexpected error is a bug of kindproof, so the stack helps.
  if (!(error instanceof KindproofError) && error instanceof Error) write(`${error.stack ?? ''}\n`);
  return exitCodeOf(error);
}
