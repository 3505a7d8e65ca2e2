/** The cluster of a run with `--cluster existing`: opened, and cleaned of the run's namespaces afterwards. */
import { join } from 'node:path';
import { deleteRunNamespaces } from '../../clusters/cleanup/run-namespaces.ts';
import { existingProvider } from '../../clusters/existing/existing-provider.ts';
import type { Log } from '../../harness/core/log.ts';
import { createKubeClient } from '../../harness/kube/api/http-client.ts';
import type { Cluster } from '../../harness/kube/cluster/cluster.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import type { RunPlan } from '../../harness/run/plan/plan.ts';
import type { RunCluster } from '../../harness/run/runner/ports.ts';

export function existingRunCluster(run: {
  options: RunOptions;
  plan: RunPlan;
  directory: string;
}): RunCluster {
  const { options, plan, directory } = run;
  const kubeconfig = join(directory, 'kubeconfig');
  let opened: Cluster | undefined;
  return {
    isExisting: true,
    kubernetesVersion: () =>
      opened ? Promise.resolve(opened.kubernetes) : Promise.reject(new Error('open() has not run')),
    // The engine is only needed for images that are built.
    preflightNeed: () => Promise.resolve({ cluster: 'existing', nodes: 0, buildNodeImage: false }),
    prepare: () => Promise.resolve(),
    async open({ log, signal, onProgress }) {
      const { kubeconfig: source, context } = options;
      const provider = existingProvider({ kubeconfig: source, context, log, signal });
      opened = await provider.attach({ kubeconfig, onNotice: onProgress });
      return opened;
    },
    async close({ log }) {
      if (opened) await deleteNamespacesOf(plan.runId, { kubeconfig, log });
    },
    leftovers: () => Promise.resolve([]),
  };
}

/** On a cluster that stays, everything that a run created goes with its namespaces. The kubeconfig has one context. */
export async function deleteNamespacesOf(
  runId: string,
  { kubeconfig, log }: { kubeconfig: string; log: Log },
): Promise<void> {
  const kube = await createKubeClient({ kubeconfig, log });
  try {
    await deleteRunNamespaces(kube, runId);
  } finally {
    await kube.close();
  }
}
