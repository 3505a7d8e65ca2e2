/** Readable exit codes. */

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
