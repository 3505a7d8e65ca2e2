/** The cluster of a run with `--cluster existing`: opened, and cleaned of what the run created afterwards. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunLock } from '../../clusters/cleanup/run-lock.ts';
import { existingProvider } from '../../clusters/existing/existing-provider.ts';
import { clusterInventory, type ClusterInventory } from '../../harness/kube/api/inventory.ts';
import type { Cluster } from '../../harness/kube/cluster/cluster.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import type { RunPlan } from '../../harness/run/plan/plan.ts';
import type { RunCluster } from '../../harness/run/runner/ports.ts';
import { cleanLastingCluster } from './lasting-cluster.ts';

interface ExistingRun {
  options: Pick<RunOptions, 'kubeconfig' | 'context'>;
  plan: Pick<RunPlan, 'runId'>;
  directory: string;
  lock: Pick<RunLock, 'useExisting' | 'keepRecord'>;
}

export function existingRunCluster({ options, plan, directory, lock }: ExistingRun): RunCluster {
  const kubeconfig = join(directory, 'kubeconfig');
  let opened: { cluster: Cluster; before: ClusterInventory } | undefined;
  let left: string[] = [];
  return {
    isExisting: true,
    kubernetesVersion: () =>
      opened ? Promise.resolve(opened.cluster.kubernetes) : Promise.reject(new Error('open() has not run')),
    // The engine is only needed for images that are built.
    preflightNeed: () => Promise.resolve({ cluster: 'existing', nodes: 0, buildNodeImage: false }),
    prepare: () => Promise.resolve(),
    async open({ log, signal, onProgress }) {
      const { kubeconfig: source = '', context = '' } = options;
      const provider = existingProvider({ kubeconfig: source, context, log, signal });
      await lock.useExisting({ kubeconfig: source, context });
      const cluster = await provider.attach({ kubeconfig, onNotice: onProgress });
      opened = { cluster, before: await clusterInventory(cluster.kube) };
      return cluster;
    },
    async close(step) {
      // Until it is known that nothing is left, a sweep needs the record.
      lock.keepRecord(opened !== undefined);
      try {
        if (!opened) return;
        const { before } = opened;
        left = await cleanLastingCluster({ kubeconfig, runId: plan.runId, before, wait: true }, step);
        lock.keepRecord(left.length > 0);
      } finally {
        // A copy of the user's, with the keys in it.
        await rm(kubeconfig, { force: true });
      }
    },
    leftovers: () => Promise.resolve(left),
  };
}
