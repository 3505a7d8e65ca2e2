/** Readable exit codes. */
import type { Container } from '../../../kube/api/types.ts';

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
};

/** `1`, `137 (killed by SIGKILL)`, `127 (command not found)`; by the shell's convention 128 + signal. */
export function exitText(exitCode: number, signal?: number): string {
  const number = signal ?? (exitCode > 128 && exitCode < 160 ? exitCode - 128 : undefined);
  if (number !== undefined && number > 0) {
    return `${exitCode} (killed by ${SIGNALS[number] ?? `signal ${number}`})`;
  }
  if (exitCode === 126) return '126 (the command cannot be executed)';
  if (exitCode === 127) return '127 (command not found)';
  return String(exitCode);
}

/** A server on standard input ends within this time when it has none. */
const AT_ONCE_MS = 10_000;

export const NO_INPUT =
  'has no standard input (stdin is not set): a server on standard input sees its end and ends, too';

/** Whether a container that ended without an error may have waited for input that it does not have. */
export function endsWithItsInput(
  spec: Container | undefined,
  { startedAt, finishedAt }: { startedAt?: string; finishedAt?: string },
): boolean {
  const lasted = Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '');
  return spec?.['stdin'] !== true && !(lasted >= AT_ONCE_MS);
}
