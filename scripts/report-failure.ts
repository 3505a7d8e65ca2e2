import { exitCodeOf, KindproofError, messageOf } from '../harness/core/errors.ts';

/** Writes an error as a person wants it (what, what to do) and returns the exit code it asks for. */
export function reportFailure(error: unknown, write: (text: string) => void): number {
  const code = error instanceof KindproofError ? ` (${error.code})` : '';
  write(`✗ ${messageOf(error)}${code}\n`);
  if (error instanceof KindproofError && error.hint !== undefined) write(`  ${error.hint}\n`);
  // An error that nobody expected is a bug of ours: only then is the stack of use.
  if (!(error instanceof KindproofError) && error instanceof Error) write(`${error.stack ?? ''}\n`);
  return exitCodeOf(error);
}
