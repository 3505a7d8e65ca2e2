import { EXIT } from '../harness/core/errors.ts';
import { reportFailure } from './report-failure.ts';

/** How long something may keep the process alive after the command has ended. */
const STRAGGLERS_MS = 2000;

/**
 * Runs a command as this process: the exit code of the process is that of the command on every path. A command that has something to take
 * down uses `interruptSignal`; without it, an exception that nobody has caught ends the process.
 */
export async function runCommand(command: () => Promise<number>): Promise<void> {
  const write = (text: string): void => {
    process.stderr.write(text);
  };
  let hasEnded = false;
  const end = (code: number): void => {
    hasEnded = true;
    process.exitCode = code;
  };

  // The reader of a pipe may be gone (`| head`), or the terminal. The run goes on to its reports; nobody misses the output.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  process.on('uncaughtException', (error) => {
    // interruptSignal listens as well, and takes down.
    if (process.listenerCount('uncaughtException') > 1) return;
    end(reportFailure(error, write));
    process.exit();
  });
  process.on('exit', (code) => {
    if (hasEnded || code === EXIT.interrupted) return;
    process.exitCode = EXIT.infrastructure;
    write('✗ the process ended before the command did; `npm run sweep` removes what is left\n');
  });

  end(await command().catch((error: unknown) => reportFailure(error, write)));
  // Only if the process is still alive then: this timer does not keep it alive.
  AbortSignal.timeout(STRAGGLERS_MS).addEventListener('abort', () => process.exit());
}
