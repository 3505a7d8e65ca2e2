/** Measures kindproof beside others that are asked for the same on the same cluster: helm alone, and chainsaw. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createCommandRunner, type CommandRunner } from '../../harness/core/command.ts';
import { systemClock, throwIfAborted, waitFor } from '../../harness/core/deadline.ts';
import { silentLog } from '../../harness/core/log.ts';
import { resolveTool } from '../../harness/host/tools/resolve-tool.ts';
import type { ToolName } from '../../harness/host/tools/versions.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { createKubeClient } from '../../harness/kube/api/http-client.ts';
import type { Report } from '../../harness/run/report/model.ts';
import { listChecks } from '../../harness/run/runner/vitest-runner.ts';
import { cacheDirectory, checksFile, projectRoot, runsDirectory } from '../project.ts';
import type { MeasuredRunDeps } from './measured-run.ts';
import { CONTENDERS, rotated, type Contender, type PeerRound } from './peer-rows.ts';

const FOLDER = join(projectRoot, 'scripts', 'bench', 'peers');
const CHART = join(FOLDER, 'chart');
const RELEASE = 'slow-start';
const SUITE = 'any-chart';
/** It becomes ready, with as many replicas as it renders, and its uninstall leaves nothing. */
const ASKED = ['X-13', 'X-14', 'X-06'];

const RUN_MS = 600_000;
const GONE_MS = 180_000;

export interface Peers {
  rounds: PeerRound[];
  tools: { helm: string; chainsaw: string };
}

interface Bench {
  command: CommandRunner;
  kube: KubeClient;
  kubeconfig: string;
  helm: string;
  chainsaw: string;
  asked: readonly string[];
  /** Holds what chainsaw and kindproof write. */
  folder: string;
}

/** Requirements that everybody is asked for, and that kindproof has checks of. */
export async function askedOfAll(): Promise<string[]> {
  const checks = await listChecks({ root: projectRoot, projects: [{ name: SUITE, file: checksFile }] });
  return ASKED.filter((id) => checks.some(({ requirements }) => requirements.includes(id)));
}

/** Arguments of `npm run e2e`. */
export function peerArguments(asked: readonly string[]): string[] {
  return ['--chart', CHART, '--requirement', ...asked, '--reuse'];
}

/**
 * Measures all contenders in every round, in another order each time, with nothing of the others left on the cluster.
 *
 * @param warm a run of kindproof on the kept cluster
 * @throws InfrastructureError when a contender fails, because its time is meaningless then
 */
export async function measurePeers(
  runs: number,
  warm: Report,
  asked: readonly string[],
  deps: MeasuredRunDeps,
): Promise<Peers> {
  const { signal, onProgress } = deps;
  const command = createCommandRunner({ signal });
  const tool = (name: ToolName) =>
    resolveTool(name, {
      run: command,
      log: silentLog,
      cacheDir: cacheDirectory,
      env: process.env,
      onProgress,
      signal,
    });
  const helm = await tool('helm');
  const chainsaw = await tool('chainsaw');
  const folder = await mkdtemp(join(tmpdir(), 'kindproof-peers-'));
  try {
    const kubeconfig = join(folder, 'kubeconfig');
    // Old runs are removed; the cluster stays.
    await copyFile(join(runsDirectory, warm.run.id, 'kubeconfig'), kubeconfig);
    const kube = await createKubeClient({ kubeconfig, signal });
    try {
      const bench: Bench = {
        command,
        kube,
        kubeconfig,
        helm: helm.path,
        chainsaw: chainsaw.path,
        asked,
        folder,
      };
      const rounds: PeerRound[] = [];
      for (let round = 1; round <= runs; round += 1) {
        const times: Partial<PeerRound> = {};
        for (const contender of rotated(CONTENDERS, round - 1)) {
          throwIfAborted(signal);
          await undisturbed(bench, signal);
          times[contender] = await measure(contender, bench);
          onProgress(`round ${round} of ${runs}: ${contender}  ${(times[contender] / 1000).toFixed(1)} s`);
        }
        rounds.push(times as PeerRound);
      }
      return { rounds, tools: { helm: helm.version, chainsaw: chainsaw.version } };
    } finally {
      await kube.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds from the start of the programs to the end of the last one. */
async function measure(contender: Contender, bench: Bench): Promise<number> {
  // helm needs a namespace; chainsaw and kindproof create their own, which is part of what they do.
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kindproof-bench-helm' } };
  if (contender === 'helm') await bench.kube.apply(namespace);
  try {
    const startedAt = systemClock.now();
    await CONTESTS[contender](bench, namespace.metadata.name);
    return systemClock.now() - startedAt;
  } finally {
    // Also after an interrupt.
    if (contender === 'helm')
      await bench.kube.teardown.delete('Namespace', { name: namespace.metadata.name });
  }
}

const CONTESTS: Record<Contender, (bench: Bench, namespace: string) => Promise<void>> = {
  async helm({ command, helm, kubeconfig }, namespace) {
    const where = ['--namespace', namespace, '--kubeconfig', kubeconfig, '--wait'];
    await command.run(helm, ['install', RELEASE, CHART, ...where], { timeoutMs: RUN_MS });
    await command.run(helm, ['uninstall', RELEASE, ...where], { timeoutMs: RUN_MS });
  },

  async chainsaw({ command, chainsaw, helm, kubeconfig, folder }) {
    const args = ['test', '--test-dir', join(FOLDER, 'chainsaw'), '--no-color'];
    await command.run(chainsaw, args, {
      cwd: folder,
      env: {
        KUBECONFIG: kubeconfig,
        PEERS_CHART: CHART,
        // The same helm.
        PATH: `${dirname(helm)}${delimiter}${process.env['PATH'] ?? ''}`,
      },
      timeoutMs: RUN_MS,
    });
  },

  async kindproof({ command, asked, folder }) {
    const run = join(projectRoot, 'scripts', 'run.mjs');
    const args = [run, 'e2e', ...peerArguments(asked), '--out', join(folder, `run-${systemClock.now()}`)];
    await command.run(process.execPath, args, { cwd: projectRoot, timeoutMs: RUN_MS });
  },
};

/** Waits until nothing of the last contender is left, so that the next one has the cluster for itself. */
async function undisturbed({ kube }: Bench, signal: AbortSignal): Promise<void> {
  await waitFor({
    what: 'the namespaces of the last contender to be gone',
    timeoutMs: GONE_MS,
    intervalMs: 500,
    signal,
    look: async () => {
      const all = await kube.list('Namespace', { signal });
      const ending = all.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
      if (ending.length === 0) return { done: true, value: undefined };
      return { done: false, seen: ending.map(({ metadata }) => metadata.name).join(', ') };
    },
  });
}
