/** Runs external programs with execa. */
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { callScope } from './call-scope.ts';
import { maskArguments } from './credentials.ts';
import { systemClock, throwIfAborted } from './deadline.ts';
import { InfrastructureError } from './errors.ts';
import type { Log } from './log.ts';
import { silentLog } from './log.ts';
import { lastLines } from './wording.ts';

export interface CommandResult {
  /** The command line, quoted for a shell. Credentials are masked, because it is logged and shown. */
  command: string;
  exitCode: number;
  stdout: string;
  stderr: string;
  durationMs: number;
}

export interface CommandOptions {
  cwd?: string | undefined;
  /** Added to the environment of this process; `undefined` removes a variable. */
  env?: Record<string, string | undefined> | undefined;
  /** Standard input. Default: empty, so that no program can wait for user input. */
  input?: string | Uint8Array | undefined;
  /** Default 120 000 ms. On timeout the program is terminated. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called for every line of output while the program runs. */
  onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined;
  /** `false`: a non-zero exit code does not throw. A program that cannot start always throws. */
  reject?: boolean | undefined;
  /** Hint of the error. */
  hint?: string | undefined;
}

/** A program failed. The message has the command, exit code, duration and the last lines of output. */
export class CommandError extends InfrastructureError {
  readonly result: CommandResult;
  constructor(
    result: CommandResult,
    why: string,
    options: { hint?: string | undefined; cause?: unknown } = {},
  ) {
    const tail = lastLines(result.stderr.trim() === '' ? result.stdout : result.stderr, 12);
    super('E_COMMAND', `\`${result.command}\` ${why}${tail === '' ? '' : `\n${tail}`}`, {
      ...options,
      details: { command: result.command, exitCode: result.exitCode, durationMs: result.durationMs },
    });
    this.result = result;
  }
}

export interface CommandRunner {
  /**
   * Runs a program to completion.
   *
   * @throws CommandError when it cannot start, times out, or exits non-zero (unless `reject: false`)
   * @throws InterruptedError when the signal aborts
   */
  run(file: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

/** How long output is read after a program has exited. Its background processes can keep the pipes open forever. */
const PIPE_GRACE_MS = 1000;

/**
 * Runs real processes. `signal` terminates all of them.
 *
 * @param deps.killAfterMs time between SIGTERM and SIGKILL, in which programs such as docker and helm clean up
 */
export function createCommandRunner(
  deps: { log?: Log; signal?: AbortSignal; killAfterMs?: number } = {},
): CommandRunner {
  const log = deps.log ?? silentLog;
  return {
    async run(file, args, options = {}) {
      const signals = [deps.signal, options.signal];
      for (const signal of signals) throwIfAborted(signal);
      const scope = callScope(signals);
      const timeoutMs = options.timeoutMs ?? 120_000;
      const subprocess = execa(file, [...args], {
        cwd: options.cwd ?? process.cwd(),
        env: options.env ?? {},
        ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
        cancelSignal: scope.signal,
        timeout: timeoutMs,
        forceKillAfterDelay: deps.killAfterMs ?? 5000,
        reject: false,
        stripFinalNewline: false,
        maxBuffer: 256 * 1024 * 1024,
      });
      const { onLine } = options;
      const lines = onLine
        ? (['stdout', 'stderr'] as const).map((stream) => eachLine(subprocess, stream, onLine))
        : [];
      const released = new AbortController();
      subprocess.once('exit', () => {
        void closePipesAfter(PIPE_GRACE_MS, subprocess, released.signal);
      });
      const ended = await subprocess.finally(() => scope.dispose());
      // The last line can arrive after the program has exited.
      await Promise.all(lines);
      released.abort();
      const result: CommandResult = {
        command: shownCommand(file, args, ended.escapedCommand),
        exitCode: ended.exitCode ?? -1,
        stdout: ended.stdout,
        stderr: ended.stderr,
        durationMs: Math.round(ended.durationMs),
      };
      const { command, exitCode, durationMs } = result;
      log.debug('command', { command, exitCode, durationMs });
      scope.throwIfInterrupted();
      if (ended.timedOut) {
        throw new CommandError(result, `did not end within ${timeoutMs / 1000} s`, { hint: options.hint });
      }
      if (ended.exitCode === undefined) {
        throw new CommandError(result, whyNot(ended, options.cwd), {
          hint: options.hint,
          cause: ended.cause,
        });
      }
      if (exitCode !== 0 && options.reject !== false) {
        throw new CommandError(result, `exited with ${exitCode} after ${durationMs} ms`, {
          hint: options.hint,
        });
      }
      return result;
    },
  };
}

/** @param escaped the command line as it was */
function shownCommand(file: string, args: readonly string[], escaped: string): string {
  const masked = maskArguments(args);
  if (masked.every((arg, index) => arg === args[index])) return escaped;
  return [file, ...masked]
    .map((arg) => (/^[\w./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

function whyNot(
  ended: {
    code?: string | undefined;
    signal?: string | undefined;
    originalMessage?: string | undefined;
    isMaxBuffer: boolean;
  },
  cwd: string | undefined,
): string {
  if (ended.isMaxBuffer) return 'was terminated: too much output';
  if (ended.signal !== undefined) return `was terminated by ${ended.signal}`;
  if (cwd !== undefined && !existsSync(cwd)) return `could not start: folder ${cwd} does not exist`;
  if (ended.code === 'ENOENT') return 'was not found on PATH';
  return `could not start: ${ended.originalMessage ?? ended.code ?? 'unknown reason'}`;
}

async function closePipesAfter(
  ms: number,
  subprocess: { stdout: Readable | null; stderr: Readable | null },
  released: AbortSignal,
): Promise<void> {
  // Usually rejects, because the pipes have already closed. The short second sleep lets this process read pending output first
  // when it was busy.
  const late = await systemClock
    .sleep(ms, released)
    .then(() => systemClock.sleep(20, released))
    .then(
      () => true,
      () => false,
    );
  if (!late) return;
  subprocess.stdout?.destroy();
  subprocess.stderr?.destroy();
}

async function eachLine(
  subprocess: { iterable(options: { from: 'stdout' | 'stderr' }): AsyncIterable<string> },
  from: 'stdout' | 'stderr',
  onLine: (line: string, stream: 'stdout' | 'stderr') => void,
): Promise<void> {
  try {
    for await (const line of subprocess.iterable({ from })) onLine(line, from);
  } catch {
    // The awaited result reports the failure of the program.
  }
}
