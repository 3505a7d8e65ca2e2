/** Connects the worker that runs the checks to the cluster that the main process prepared. */
import { createCommandRunner } from '../harness/core/command.ts';
import { systemClock } from '../harness/core/deadline.ts';
import { createKubeClient } from '../harness/kube/api/http-client.ts';
import type { Cluster } from '../harness/kube/cluster/cluster.ts';
import type { AttachCluster } from '../harness/run/suite/attached-cluster.ts';
import { createCapabilities } from './capabilities/capabilities.ts';
import { existingCluster } from './existing/existing-provider.ts';
import { readOrigin } from './kind/cluster-origin.ts';
import { plannedNodes } from './kind/planned-nodes.ts';
import { runningKindCluster } from './kind/running-cluster.ts';

export const attachCluster: AttachCluster = async (descriptor, deps) => {
  const cluster = await connect(descriptor, deps);
  const capabilities = createCapabilities(cluster, deps);
  return { ...cluster, capability: (name) => capabilities.probe(name) };
};

async function connect(
  { provider, name, kubeconfig, context, kubernetes }: Parameters<AttachCluster>[0],
  { log, signal }: Parameters<AttachCluster>[1],
): Promise<Cluster> {
  const kube = await createKubeClient({ kubeconfig, context, log, signal });
  if (provider === 'existing') return existingCluster({ kube, kubernetes, kubeconfig, context });
  const topology = (await readOrigin(kube, name))?.topology;
  return runningKindCluster({
    name,
    kubeconfig,
    kubernetes,
    kube,
    plannedNodes: topology === undefined ? [] : plannedNodes(name, topology),
    run: createCommandRunner({ log }),
    log,
    clock: systemClock,
    signal,
  });
}
