/** Starts an installed engine. */
import { rm } from 'node:fs/promises';
import { waitFor, WaitTimeout } from '../../../core/deadline.ts';
import { InfrastructureError } from '../../../core/errors.ts';
import { lastLines } from '../../../core/wording.ts';
import { engineFacts } from '../engine-facts.ts';
import type { PreflightDeps } from '../finding.ts';

export const ENGINE_LOG = '/var/log/dockerd.log';

type Deps = Pick<PreflightDeps, 'run' | 'machine' | 'clock' | 'log' | 'env' | 'onProgress' | 'signal'>;

/** Covers a first start, which creates folders and networks, on a busy machine. */
const START_MS = 60_000;

/**
 * Starts the engine and waits until it answers: with systemd where it runs, else as a process in a separate session that outlives this
 * one.
 *
 * @throws InfrastructureError `E_ENGINE_START` with the end of the engine's log
 */
export async function startEngine(deps: Deps, daemon: string): Promise<void> {
  // The installation of the package may have started it.
  if ((await engineFacts(deps)).info) return;
  deps.onProgress('starting the container engine');
  if ((await deps.machine.list('/run/systemd/system')).length > 0) {
    await deps.run.run('systemctl', ['start', 'docker'], { signal: deps.signal });
    await waitUntilReady(deps, () => Promise.resolve(true), 'journalctl -u docker');
    return;
  }
  await removeStalePid(deps);
  const logFile = deps.machine.real(ENGINE_LOG);
  // In a separate session, neither Ctrl+C nor the end of this process stops it.
  const script = 'setsid "$1" >>"$2" 2>&1 </dev/null & echo $!';
  const { stdout } = await deps.run.run('sh', ['-c', script, 'sh', daemon, logFile], { signal: deps.signal });
  const pid = Number(stdout.trim());
  deps.log.info('engine started', { daemon, pid, logFile });
  await waitUntilReady(deps, async () => (await deps.machine.processName(pid)) !== undefined, logFile);
}

async function waitUntilReady(deps: Deps, lives: () => Promise<boolean>, logName: string): Promise<void> {
  try {
    await waitFor({
      what: 'the container engine to answer',
      timeoutMs: START_MS,
      intervalMs: 500,
      clock: deps.clock,
      signal: deps.signal,
      look: async () => {
        const alive = await lives();
        const { info, error } = await engineFacts(deps);
        if (info) return { done: true, value: undefined };
        const seen = error ?? 'no answer';
        return alive ? { done: false, seen } : { done: false, seen, hopeless: 'its process has ended' };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    const text = (await deps.machine.read(ENGINE_LOG)) ?? '';
    const tail = lastLines(text, 12);
    throw new InfrastructureError('E_ENGINE_START', `${error.message}${tail === '' ? '' : `\n${tail}`}`, {
      hint: `The engine's log is in ${logName}.`,
      cause: error,
    });
  }
}

/** A killed engine leaves its pid file, and the next one refuses to start while any process has that id. */
async function removeStalePid(deps: Deps): Promise<void> {
  const file = '/var/run/docker.pid';
  const text = await deps.machine.read(file);
  if (text === undefined) return;
  const name = await deps.machine.processName(Number(text.trim()));
  if (name === 'dockerd') {
    throw new InfrastructureError(
      'E_ENGINE_START',
      `dockerd is running (process ${text.trim()}) but does not answer`,
      {
        hint: 'It may still be starting. See its log; if it hangs, end it and run `npm run doctor` again.',
      },
    );
  }
  deps.log.warn('stale pid file removed', { file, pid: text.trim() });
  await rm(deps.machine.real(file), { force: true });
}
