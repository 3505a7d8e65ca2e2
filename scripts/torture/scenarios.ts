/** What `npm run torture` does to a run, and how the run has to end. */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, InfrastructureError } from '../../harness/core/errors.ts';
import type { Scenario, Trial } from './scenario.ts';

const MINUTES = 60_000;
/** Two checks: one installs the chart, one replaces a pod, so that the disturbance finds work in progress. */
const SUBJECT = ['--requirement', 'T-28', 'T-10'];
const CREATING = /^… cluster .*(joining worker nodes|starting control-plane)/m;
const CHECKING = /^… checks/m;
/** The first check has passed, the second is running. */
const BETWEEN_CHECKS = /^✓ T-/m;
const TAKING_DOWN = /^… take down/m;
const KILLED = 128 + 9;

const signalled = (name: NodeJS.Signals) => (trial: Trial) => {
  process.kill(trial.pid, name);
  return Promise.resolve();
};

export const SCENARIOS: readonly Scenario[] = [
  {
    id: 'sigint-cluster',
    title: 'SIGINT while the cluster is created',
    cluster: 'own',
    args: SUBJECT,
    when: CREATING,
    disturb: signalled('SIGINT'),
    exitCodes: [EXIT.interrupted],
    limitMs: 5 * MINUTES,
    quick: true,
  },
  {
    id: 'sigkill-cluster',
    title: 'SIGKILL while the cluster is created, then a sweep',
    cluster: 'own',
    args: SUBJECT,
    when: CREATING,
    disturb: signalled('SIGKILL'),
    exitCodes: [KILLED],
    needsSweep: true,
    limitMs: 5 * MINUTES,
    quick: true,
  },
  {
    id: 'sigterm-checks',
    title: 'SIGTERM during the checks',
    cluster: 'own',
    args: SUBJECT,
    when: BETWEEN_CHECKS,
    disturb: signalled('SIGTERM'),
    exitCodes: [EXIT.interrupted],
    limitMs: 8 * MINUTES,
  },
  {
    id: 'engine-gone',
    title: 'the engine stops answering during the checks, then a sweep',
    cluster: 'own',
    args: SUBJECT,
    when: CHECKING,
    disturb: (trial) => trial.cutEngine(),
    exitCodes: [EXIT.infrastructure],
    needsSweep: true,
    limitMs: 12 * MINUTES,
  },
  {
    id: 'node-killed',
    title: 'the container of a node is killed during the checks',
    cluster: 'own',
    args: SUBJECT,
    when: BETWEEN_CHECKS,
    disturb: async ({ command, cluster }) => {
      await command.run('docker', ['kill', `${cluster}-worker`]);
    },
    // Never red: the chart did nothing. Its pods may run on the other nodes.
    exitCodes: [EXIT.passed, EXIT.infrastructure],
    limitMs: 12 * MINUTES,
  },
  {
    id: 'sigint-checks',
    title: 'SIGINT during the checks',
    cluster: 'kept',
    args: SUBJECT,
    when: BETWEEN_CHECKS,
    disturb: signalled('SIGINT'),
    exitCodes: [EXIT.interrupted],
    limitMs: 8 * MINUTES,
  },
  {
    id: 'sigint-twice',
    title: 'two SIGINT at once, as npm and a terminal send them',
    cluster: 'kept',
    args: SUBJECT,
    when: BETWEEN_CHECKS,
    disturb: ({ pid }) => {
      process.kill(pid, 'SIGINT');
      process.kill(-pid, 'SIGINT');
      return Promise.resolve();
    },
    exitCodes: [EXIT.interrupted],
    limitMs: 8 * MINUTES,
  },
  {
    id: 'sigint-take-down',
    title: 'SIGINT while the run is taken down',
    cluster: 'kept',
    args: SUBJECT,
    when: TAKING_DOWN,
    disturb: signalled('SIGINT'),
    // The checks were complete: their verdict counts.
    exitCodes: [EXIT.passed, EXIT.interrupted],
    limitMs: 8 * MINUTES,
  },
  {
    id: 'sighup-checks',
    title: 'SIGHUP during the checks: the terminal is closed',
    cluster: 'kept',
    args: SUBJECT,
    when: BETWEEN_CHECKS,
    disturb: signalled('SIGHUP'),
    exitCodes: [EXIT.interrupted],
    limitMs: 8 * MINUTES,
  },
  {
    id: 'sigkill-checks',
    title: 'SIGKILL during the checks, then the next run',
    cluster: 'kept',
    args: SUBJECT,
    when: BETWEEN_CHECKS,
    disturb: ({ pid }) => {
      process.kill(-pid, 'SIGKILL');
      return Promise.resolve();
    },
    exitCodes: [KILLED],
    needsSweep: true,
    limitMs: 8 * MINUTES,
  },
  {
    id: 'worker-memory',
    title: 'the worker that runs the checks is out of memory',
    cluster: 'kept',
    args: SUBJECT,
    when: BETWEEN_CHECKS,
    disturb: ({ disturbWorker }) => disturbWorker('memory'),
    exitCodes: [EXIT.infrastructure],
    limitMs: 8 * MINUTES,
  },
  {
    id: 'worker-blocked',
    title: 'SIGINT while a check blocks the worker',
    cluster: 'kept',
    args: SUBJECT,
    when: BETWEEN_CHECKS,
    disturb: async ({ pid, disturbWorker }) => {
      await disturbWorker('block');
      process.kill(pid, 'SIGINT');
    },
    exitCodes: [EXIT.interrupted],
    limitMs: 8 * MINUTES,
  },
  {
    id: 'output-closed',
    title: 'nobody reads the output any more, as with `| head`',
    cluster: 'kept',
    args: SUBJECT,
    when: CHECKING,
    disturb: (trial) => {
      trial.closeOutput();
      return Promise.resolve();
    },
    exitCodes: [EXIT.passed, EXIT.infrastructure],
    limitMs: 8 * MINUTES,
  },
  {
    id: 'disk-full',
    title: 'the disk of the run directory is full during the checks',
    cluster: 'kept',
    needsRoot: true,
    args: SUBJECT,
    prepare: async (folder, command, after) => {
      await command.run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'kindproof-torture', folder]);
      after(async () => {
        await command.run('umount', [folder]);
      });
    },
    when: BETWEEN_CHECKS,
    disturb: async ({ directory, after }) => {
      const fill = async (): Promise<void> => {
        // Writes what still fits, and fails.
        await appendFile(join(directory, '..', 'filler'), Buffer.alloc(8 * 1024 * 1024)).catch(
          () => undefined,
        );
      };
      await fill();
      // The run removes files before it writes its reports.
      const stop = new AbortController();
      const kept = (async () => {
        while (!stop.signal.aborted) {
          await delay(20);
          await fill();
        }
      })();
      after(async () => {
        stop.abort();
        await kept;
      });
    },
    exitCodes: [EXIT.infrastructure],
    limitMs: 8 * MINUTES,
  },
  {
    id: 'api-server-paused',
    title: 'the control plane stands still for 20 s during the checks',
    cluster: 'kept',
    args: SUBJECT,
    when: BETWEEN_CHECKS,
    disturb: async ({ command, cluster, after }) => {
      const node = `${cluster}-control-plane`;
      // Harmless when it runs already.
      after(async () => {
        await command.run('docker', ['unpause', node], { reject: false });
      });
      await command.run('docker', ['pause', node]);
      await delay(20_000);
      await command.run('docker', ['unpause', node]);
    },
    // Never red: the chart did nothing.
    exitCodes: [EXIT.passed, EXIT.infrastructure],
    limitMs: 10 * MINUTES,
  },
  {
    id: 'two-runs',
    title: 'a second run asks for the cluster of the first',
    cluster: 'kept',
    args: SUBJECT,
    when: CHECKING,
    disturb: async ({ secondRun, directory }) => {
      const out = join(directory, '..', 'second');
      await mkdir(out, { recursive: true });
      const exitCode = await secondRun([...SUBJECT, '--reuse', '--out', out]);
      if (exitCode === EXIT.usage) return;
      throw new InfrastructureError(
        'E_TORTURE',
        `the second run ended with ${exitCode}, not with ${EXIT.usage}`,
      );
    },
    exitCodes: [EXIT.passed],
    limitMs: 8 * MINUTES,
  },
  {
    id: 'time-limit',
    title: 'the time limit of the run is reached during the checks',
    cluster: 'kept',
    args: [...SUBJECT, '--timeout', '40s'],
    when: CHECKING,
    disturb: () => Promise.resolve(),
    exitCodes: [EXIT.infrastructure],
    limitMs: 8 * MINUTES,
  },
];
