/** Runs external programs. The only file that imports execa. */
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { systemClock, throwIfAborted } from './deadline.ts';
import { InfrastructureError } from './errors.ts';
import type { Log } from './log.ts';
import { silentLog } from './log.ts';

export interface CommandResult {
  /** The command line as a person would type it. */
  command: string;
  exitCode: number;
  stdout: string;
  stderr: string;
  durationMs: number;
}

export interface CommandOptions {
  cwd?: string | undefined;
  /** Added to the environment of this process. */
  env?: Record<string, string | undefined> | undefined;
  /** Written to standard input; without it standard input is empty, so no program can wait for a person. */
  input?: string | Uint8Array | undefined;
  /** Default 120 000 ms. The program is killed when it is over. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called for every line while the program runs. */
  onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined;
  /** `false`: a non-zero exit code is returned instead of thrown. A program that cannot be started always throws. */
  reject?: boolean | undefined;
  /** What to do about a failure, for the error. */
  hint?: string | undefined;
}

/** A program failed. Message: what, exit code, duration, last lines of its output. */
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
   * Runs a program to its end.
   *
   * @throws CommandError when it cannot be started, exceeds its time, or exits non-zero (unless `reject: false`)
   * @throws InterruptedError when the signal aborts
   */
  run(file: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

/** How long output is still read after a program has ended: what it left running may hold the pipe for ever. */
const PIPE_GRACE_MS = 1000;

/**
 * The runner that starts real processes; `signal` ends all of them.
 *
 * @param deps.killAfterMs time between SIGTERM and SIGKILL; programs such as docker and helm clean up in it
 */
export function createCommandRunner(
  deps: { log?: Log; signal?: AbortSignal; killAfterMs?: number } = {},
): CommandRunner {
  const log = deps.log ?? silentLog;
  return {
    async run(file, args, options = {}) {
      const signals = [deps.signal, options.signal].filter((s) => s !== undefined);
      const signal = AbortSignal.any(signals);
      throwIfAborted(signal);
      const timeoutMs = options.timeoutMs ?? 120_000;
      const command = commandLine(file, args);
      const subprocess = execa(file, [...args], {
        cwd: options.cwd ?? process.cwd(),
        env: options.env ?? {},
        ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
        cancelSignal: signal,
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
      const ended = await subprocess;
      // The last line comes after the end of the program.
      await Promise.all(lines);
      released.abort();
      const result: CommandResult = {
        command,
        exitCode: ended.exitCode ?? -1,
        stdout: ended.stdout,
        stderr: ended.stderr,
        durationMs: Math.round(ended.durationMs),
      };
      log.debug('command', { command, exitCode: result.exitCode, durationMs: result.durationMs });
      throwIfAborted(signal);
      if (ended.timedOut) {
        throw new CommandError(result, `did not end within ${timeoutMs / 1000} s`, { hint: options.hint });
      }
      if (ended.exitCode === undefined) {
        throw new CommandError(result, whyNot(ended, options.cwd), {
          hint: options.hint,
          cause: ended.cause,
        });
      }
      if (ended.exitCode !== 0 && options.reject !== false) {
        throw new CommandError(result, `exited with ${ended.exitCode} after ${result.durationMs} ms`, {
          hint: options.hint,
        });
      }
      return result;
    },
  };
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
  if (ended.isMaxBuffer) return 'wrote more output than can be kept, and was ended';
  if (ended.signal !== undefined) return `was ended by ${ended.signal}`;
  if (cwd !== undefined && !existsSync(cwd)) return `could not be run: there is no folder ${cwd}`;
  if (ended.code === 'ENOENT') return 'was not found on PATH';
  return `could not be run: ${ended.originalMessage ?? ended.code ?? 'no reason is known'}`;
}

async function closePipesAfter(
  ms: number,
  subprocess: { stdout: Readable | null; stderr: Readable | null },
  released: AbortSignal,
): Promise<void> {
  // Rejects when the pipes have been closed by themselves, which is the ordinary case. The second, short sleep lets a process that
  // was too busy to read do so first.
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
    // The failure of the program itself is reported by the awaited result.
  }
}

function commandLine(file: string, args: readonly string[]): string {
  return [file, ...args]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
