import { exitCodeOf, KindproofError, messageOf } from '../harness/core/errors.ts';
import { inert } from '../harness/run/report/github/inert.ts';
import { plain } from '../harness/run/report/text.ts';

/** Writes an error with its hint and returns its exit code. The message may quote a tool or a chart, which control nothing with it. */
export function reportFailure(
  error: unknown,
  write: (text: string) => void,
  env: Record<string, string | undefined> = process.env,
): number {
  const code = error instanceof KindproofError ? ` (${error.code})` : '';
  const lines = [`✗ ${messageOf(error)}${code}`];
  if (error instanceof KindproofError && error.hint !== undefined) lines.push(`  ${error.hint}`);
  const bug = bugOf(error);
  if (bug instanceof Error) lines.push(bug.stack ?? '');
  write(inert(`${plain(lines.join('\n'))}\n`, env));
  return exitCodeOf(error);
}

/** An unexpected error is a bug of kindproof, so its stack helps. */
function bugOf(error: unknown): unknown {
  if (!(error instanceof KindproofError)) return error;
  return error.code === 'E_UNCAUGHT' ? error.cause : undefined;
}
