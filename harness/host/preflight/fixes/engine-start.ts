/** Starts an engine that is installed. */
import { rm } from 'node:fs/promises';
import { waitFor, WaitTimeout } from '../../../core/deadline.ts';
import { InfrastructureError } from '../../../core/errors.ts';
import { engineFacts } from '../engine-facts.ts';
import type { PreflightDeps } from '../finding.ts';

export const ENGINE_LOG = '/var/log/dockerd.log';

type Deps = Pick<PreflightDeps, 'run' | 'machine' | 'clock' | 'log' | 'env' | 'onProgress' | 'signal'>;

/** Enough for a first start that creates its folders and networks on a busy machine. */
const START_MS = 60_000;

/**
 * Starts the engine and waits until it answers: with systemd where that runs, else as a process of its own session that
 * outlives this one.
 *
 * @throws InfrastructureError `E_ENGINE_START` with the end of the engine's log
 */
export async function startEngine(deps: Deps, daemon: string): Promise<void> {
  // Installing the package may have started it already.
  if ((await engineFacts(deps)).info) return;
  deps.onProgress('starting the container engine');
  if ((await deps.machine.list('/run/systemd/system')).length > 0) {
    await deps.run.run('systemctl', ['start', 'docker'], { signal: deps.signal });
    await untilItAnswers(deps, () => Promise.resolve(true), 'journalctl -u docker');
    return;
  }
  await removeStalePid(deps);
  const logFile = deps.machine.real(ENGINE_LOG);
  // The shell starts it in a session of its own, so that neither Ctrl+C nor the end of this process reaches it.
  const script = 'setsid "$1" >>"$2" 2>&1 </dev/null & echo $!';
  const { stdout } = await deps.run.run('sh', ['-c', script, 'sh', daemon, logFile], { signal: deps.signal });
  const pid = Number(stdout.trim());
  deps.log.info('engine started', { daemon, pid, logFile });
  await untilItAnswers(deps, async () => (await deps.machine.processName(pid)) !== undefined, logFile);
}

async function untilItAnswers(deps: Deps, lives: () => Promise<boolean>, logName: string): Promise<void> {
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
    const tail = text.trimEnd().split('\n').slice(-12).join('\n');
    throw new InfrastructureError('E_ENGINE_START', `${error.message}${tail === '' ? '' : `\n${tail}`}`, {
      hint: `The engine's log is in ${logName}.`,
      cause: error,
    });
  }
}

/** A killed engine leaves its pid file; the next one refuses to start while a process has that number. */
async function removeStalePid(deps: Deps): Promise<void> {
  const file = '/var/run/docker.pid';
  const text = await deps.machine.read(file);
  if (text === undefined) return;
  const name = await deps.machine.processName(Number(text.trim()));
  if (name === 'dockerd') {
    throw new InfrastructureError(
      'E_ENGINE_START',
      `dockerd runs (process ${text.trim()}) but does not answer`,
      {
        hint: 'It may still be starting, or hang: see its log; end it if it hangs, then run doctor again.',
      },
    );
  }
  deps.log.warn('stale pid file removed', { file, pid: text.trim() });
  await rm(deps.machine.real(file), { force: true });
}
