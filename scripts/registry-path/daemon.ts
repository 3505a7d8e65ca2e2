/** Programs that run in the background while the registry path is tested, and end with it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { endWithin, systemClock, waitFor } from '../../harness/core/deadline.ts';
import { InfrastructureError, messageOf } from '../../harness/core/errors.ts';
import { lastLines } from '../../harness/core/wording.ts';

export interface DaemonOptions {
  /** For messages. */
  name: string;
  file: string;
  args: readonly string[];
  env?: Record<string, string | undefined>;
  /** Gets everything that the program prints. */
  log: string;
  signal: AbortSignal;
  /** Resolves as soon as the program answers; rejects with the reason why it does not yet. */
  isReady: () => Promise<unknown>;
}

export interface Daemon {
  /** Idempotent; waits until the program has ended. */
  stop: () => Promise<void>;
}

const READY_MS = 60_000;
const STOP_MS = 20_000;

/**
 * Linux ends the program with this process, also after SIGKILL, and keeps it from changing the machine's network: dockerd without a bridge
 * deletes `docker0`, which the user's engine needs. Both programs are part of util-linux.
 */
const ENDS_WITH_US = ['setpriv', '--pdeathsig', 'KILL', '--bounding-set=-net_admin', '--'];
/** dockerd mounts its data folder, and after SIGKILL nobody would unmount it. */
const OWN_MOUNTS = ['unshare', '--mount', '--propagation', 'private', '--'];

/**
 * Starts a program and waits until it answers. It is killed when this process dies in any way.
 *
 * @throws InfrastructureError `E_REGISTRY_PATH` with the end of its log
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { name, file, args, log, signal } = options;
  const out = openSync(log, 'a', 0o600);
  const [program = '', ...rest] = [...ENDS_WITH_US, ...OWN_MOUNTS, file, ...args];
  const child = spawn(program, rest, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', out, out],
    // Ctrl+C in a terminal must not end it before what uses it.
    detached: true,
  });
  closeSync(out);
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => {
      resolve();
    });
    child.once('exit', () => {
      resolve();
    });
  });
  const daemon = { stop: () => stop(child, ended, name) };
  try {
    await waitFor({
      what: `${name} to answer`,
      timeoutMs: READY_MS,
      signal,
      look: async () => {
        try {
          await options.isReady();
          return { done: true, value: undefined };
        } catch (error) {
          const seen = messageOf(error);
          return hasEnded(child) ? { done: false, seen, hopeless: 'it has ended' } : { done: false, seen };
        }
      },
    });
    return daemon;
  } catch (error) {
    await daemon.stop();
    signal.throwIfAborted();
    const tail = lastLines(await readFile(log, 'utf8').catch(() => ''), 12);
    throw new InfrastructureError('E_REGISTRY_PATH', `${name} did not start: ${messageOf(error)}\n${tail}`, {
      cause: error,
    });
  }
}

function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

async function stop(child: ChildProcess, ended: Promise<void>, name: string): Promise<void> {
  if (hasEnded(child)) return;
  child.kill('SIGTERM');
  const late = () => new InfrastructureError('E_REGISTRY_PATH', `${name} does not end`);
  await endWithin(STOP_MS, ended, late, systemClock).catch(async () => {
    child.kill('SIGKILL');
    await ended;
  });
}
