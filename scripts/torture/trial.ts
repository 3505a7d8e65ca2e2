/** One disturbed run: starts `npm run e2e` as a process of its own, disturbs it, and looks at what is left. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
// A run under torture leads a process group of its own and outlives its output, which a CommandRunner does not allow.
// eslint-disable-next-line no-restricted-imports
import { execa } from 'execa';
import { findLeftovers } from '../../clusters/cleanup/leftovers.ts';
import type { CommandRunner } from '../../harness/core/command.ts';
import { systemClock, waitFor } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import { RUN_LABEL } from '../../harness/core/run-id.ts';
import { projectRoot } from '../project.ts';
import { readReport } from '../read-report.ts';
import { pidsOf } from './processes.ts';
import type { Scenario, Trial } from './scenario.ts';

/** The desk of the runs that share a cluster: their cluster is `kp-desk-torture`. */
const DESK = 'torture';
export const KEPT_CLUSTER = `kp-desk-${DESK}`;

export interface TrialDeps {
  command: CommandRunner;
  /** New and empty; the run writes its reports into a folder of it. */
  directory: string;
  signal: AbortSignal;
  /** The engine as the run reaches it. */
  engine: { address: string; cut: () => Promise<void> };
}

/** What was seen of one disturbed run. */
export interface Outcome {
  exitCode: number;
  /** `run.verdict` of report.json; `none` without a report. */
  verdict: string;
  /** What the run left behind, before a sweep. */
  left: string[];
  /** What a sweep did not remove; the same as `left` when the scenario does not need one. */
  leftAfterSweep: string[];
  /** What the run printed last. */
  tail: string;
  /** Why the disturbance did not happen, or what it saw that it should not have seen. */
  problem?: string;
}

/**
 * Runs a scenario.
 *
 * @throws InfrastructureError `E_TORTURE` when the run does not end within the scenario's limit; its processes are killed
 */
export async function runTrial(scenario: Scenario, deps: TrialDeps): Promise<Outcome> {
  const { command, signal } = deps;
  const folder = join(deps.directory, 'runs');
  const directory = join(folder, 'run');
  const order = join(deps.directory, 'worker');
  await mkdir(folder);
  const kept = scenario.cluster === 'kept';
  const env = {
    KINDPROOF_DESK: DESK,
    DOCKER_HOST: deps.engine.address,
    KINDPROOF_TORTURE_WORKER: order,
    // With the small heap, a thread is out of memory soon.
    NODE_OPTIONS: `--max-old-space-size=768 --import=${new URL('disturb-worker.mjs', import.meta.url).href}`,
  };
  const argv = [...scenario.args, '--out', directory, ...(kept ? ['--reuse'] : [])];
  const groups: number[] = [];
  const start = (args: readonly string[]) => {
    const started = execa(process.execPath, [join(projectRoot, 'scripts', 'run.mjs'), 'e2e', ...args], {
      cwd: projectRoot,
      env,
      detached: true,
      reject: false,
      all: true,
      buffer: false,
      stdin: 'ignore',
    });
    if (started.pid !== undefined) groups.push(started.pid);
    return started;
  };
  const killAll = (): void => {
    groups.forEach(killGroup);
  };
  const undo: (() => Promise<void>)[] = [];
  await scenario.prepare?.(folder, command, (step) => undo.push(step));
  const child = start(argv);
  const { pid } = child;
  if (pid === undefined) throw new InfrastructureError('E_TORTURE', 'the run did not start');
  let printed = '';
  let runId = '';
  let problem: string | undefined;
  let disturbed: Promise<void> | undefined;
  const trial = (): Trial => ({
    pid,
    runId,
    directory,
    cluster: kept ? KEPT_CLUSTER : `kp-${runId}`,
    command,
    closeOutput: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    cutEngine: deps.engine.cut,
    disturbWorker: (how) => writeFile(order, how),
    secondRun: async (args) => (await start(args)).exitCode ?? -1,
    after: (step) => undo.push(step),
  });
  const look = (): void => {
    runId = /^kindproof (\S+)$/m.exec(printed)?.[1] ?? '';
    if (disturbed !== undefined || runId === '' || !scenario.when.test(printed)) return;
    disturbed = scenario.disturb(trial()).catch((error: unknown) => {
      problem = `the disturbance failed: ${error instanceof Error ? error.message : String(error)}`;
    });
  };
  child.all.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    look();
  });
  signal.addEventListener('abort', killAll);
  const limit = AbortSignal.timeout(scenario.limitMs);
  limit.addEventListener('abort', killAll);
  try {
    const result = await child;
    if (disturbed === undefined) problem = `the run ended before it printed ${String(scenario.when)}`;
    await disturbed;
    if (limit.aborted) problem = `the run did not end within ${scenario.limitMs / 60_000} min and was killed`;
    const report = await readReport(directory).catch(() => undefined);
    for (const step of undo.splice(0).reverse()) await step();
    const found = () => leftoversOf({ pid, runId, kept }, command);
    const left = await found();
    if (scenario.needsSweep === true) await sweep(runId, scenario, kept);
    return {
      exitCode: result.exitCode ?? 128 + (SIGNAL_NUMBERS[result.signal ?? ''] ?? 0),
      verdict: report?.run.verdict ?? 'none',
      left,
      leftAfterSweep: scenario.needsSweep === true ? await found() : left,
      tail: printed.trimEnd().split('\n').slice(-12).join('\n'),
      ...(problem === undefined ? {} : { problem }),
    };
  } finally {
    signal.removeEventListener('abort', killAll);
    limit.removeEventListener('abort', killAll);
    killAll();
    for (const step of undo.splice(0).reverse()) await step();
    // Killed here, not by the scenario: nobody else removes the cluster.
    if ((signal.aborted || limit.aborted) && runId !== '' && !kept) await sweep(runId, scenario, kept);
  }
}

/** Of processes that a signal ended. */
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** As a user would: what a killed run left on a kept cluster is removed by the next run. */
async function sweep(runId: string, scenario: Scenario, kept: boolean): Promise<void> {
  const script = join(projectRoot, 'scripts', 'run.mjs');
  const args = kept ? ['e2e', ...scenario.args, '--reuse'] : ['sweep', '--run', runId];
  await execa(process.execPath, [script, ...args], {
    cwd: projectRoot,
    env: { KINDPROOF_DESK: DESK },
    reject: false,
    stdin: 'ignore',
  });
}

async function leftoversOf(
  { pid, runId, kept }: { pid: number; runId: string; kept: boolean },
  command: CommandRunner,
): Promise<string[]> {
  const now = () => systemClock.now();
  const ofEngine = (await findLeftovers({ run: command, registry: {}, now }))
    .filter((item) => item.kind !== 'record' && (item.run === runId || item.cluster === `kp-${runId}`))
    .filter((item) => !(kept && item.cluster === KEPT_CLUSTER))
    .map(({ kind, name }) => `${kind} ${name}`);
  const namespaces = kept ? await namespacesOf(runId, command) : [];
  return [...ofEngine, ...namespaces, ...(await processesOf(pid))];
}

/** Namespaces of a run on the kept cluster. Kubernetes deletes them in its own time, so they get a minute. */
async function namespacesOf(runId: string, command: CommandRunner): Promise<string[]> {
  const kubectl = [
    'exec',
    `${KEPT_CLUSTER}-control-plane`,
    'kubectl',
    '--kubeconfig=/etc/kubernetes/admin.conf',
  ];
  const list = async () => {
    const args = [...kubectl, 'get', 'namespaces', '-l', `${RUN_LABEL}=${runId}`, '-o', 'name'];
    const { stdout } = await command.run('docker', args);
    return stdout.split('\n').filter((line) => line !== '');
  };
  try {
    await waitFor({
      what: 'the namespaces of the run to be deleted',
      timeoutMs: 60_000,
      clock: systemClock,
      look: async () => {
        const names = await list();
        return names.length === 0
          ? { done: true, value: undefined }
          : { done: false, seen: names.join(', ') };
      },
    });
    return [];
  } catch {
    return list();
  }
}

/** Processes of the run's group that still exist. */
async function processesOf(group: number): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await pidsOf(group)) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    found.push(`process ${pid} (${words.slice(0, 2).join(' ')})`);
  }
  return found;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The whole group has ended.
  }
}
