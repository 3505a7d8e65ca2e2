/** Measures the creation of a cluster while nothing else runs. */
import { join } from 'node:path';
import { kindProvider } from '../../clusters/kind/kind-provider.ts';
import { ensureNodeImage } from '../../clusters/node-image/node-image.ts';
import { acquireRunLock } from '../../clusters/cleanup/run-lock.ts';
import { createCommandRunner } from '../../harness/core/command.ts';
import { systemClock } from '../../harness/core/deadline.ts';
import { Lifecycle } from '../../harness/core/lifecycle.ts';
import { createFileLog } from '../../harness/core/log.ts';
import { newRunId } from '../../harness/core/run-id.ts';
import { resolveTool } from '../../harness/host/tools/resolve-tool.ts';
import { cacheDirectory, runsDirectory } from '../project.ts';
import type { MeasuredRunDeps } from './measured-run.ts';

/**
 * Creates a cluster with this number of nodes, including the control plane, and deletes it.
 *
 * @returns milliseconds from `kind create` until every system pod is Ready
 * @throws InfrastructureError when the cluster cannot be created
 */
export async function measureCluster(
  nodes: number,
  { signal, onProgress }: MeasuredRunDeps,
): Promise<number> {
  const runId = newRunId();
  const runDirectory = join(runsDirectory, runId);
  const lock = await acquireRunLock(runDirectory);
  const log = createFileLog(join(runDirectory, 'run.jsonl'));
  const lifecycle = new Lifecycle(log);
  // Ignores the signal: after an interruption the partly created cluster has to be deleted.
  const run = createCommandRunner({ log });
  try {
    const kind = await resolveTool('kind', {
      run,
      log,
      cacheDir: cacheDirectory,
      env: process.env,
      onProgress,
      signal,
    });
    const nodeImage = await ensureNodeImage({ run, signal }, { onProgress });
    const provider = kindProvider({ run, kindPath: kind.path, nodeImage, log, signal });
    const name = `kp-${runId}`;
    const kubeconfig = join(runDirectory, 'kubeconfig');
    await lock.useCluster(name);
    lifecycle.defer(`delete cluster ${name}`, async () => {
      await provider.delete(name, kubeconfig);
    });
    const start = systemClock.now();
    await provider.create({
      name,
      topology: { groups: [{ name: 'worker', count: nodes - 1 }] },
      kubeconfig,
      evidenceDirectory: join(runDirectory, 'cluster'),
    });
    const durationMs = systemClock.now() - start;
    onProgress(`  cluster of ${nodes} nodes  ${(durationMs / 1000).toFixed(1)} s`);
    return durationMs;
  } finally {
    const failures = await lifecycle.close();
    for (const { title } of failures) onProgress(`  ! could not ${title}; run \`npm run sweep\``);
    lock.keepRecord(failures.length > 0);
    await lock.release();
  }
}
