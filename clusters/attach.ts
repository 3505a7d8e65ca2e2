/** Connects the process that runs the checks to the cluster that the main process has prepared. */
import { createCommandRunner } from '../harness/core/command.ts';
import { systemClock } from '../harness/core/deadline.ts';
import type { Log } from '../harness/core/log.ts';
import { silentLog } from '../harness/core/log.ts';
import { createKubeClient } from '../harness/kube/api/http-client.ts';
import type { AttachedCluster } from '../harness/run/suite/attached-cluster.ts';
import type { ClusterDescriptor } from '../harness/run/suite/worker-config.ts';
import type { ProbeOptions } from './capabilities.ts';
import { createCapabilities } from './capabilities.ts';
import type { Cluster } from './cluster.ts';
import { existingCluster } from './existing/existing-provider.ts';
import { readOrigin } from './kind/fingerprint.ts';
import { plannedNodes } from './kind/planned-nodes.ts';
import { runningKindCluster } from './kind/running-cluster.ts';

/**
 * A cluster that runs, with capabilities that are proven on first use. `delete()` closes connections only: whoever made the cluster
 * removes it.
 */
export async function attachCluster(
  descriptor: ClusterDescriptor,
  deps: { log?: Log; signal?: AbortSignal; probe?: ProbeOptions } = {},
): Promise<AttachedCluster> {
  const log = deps.log ?? silentLog;
  const { signal } = deps;
  const cluster = await connect(descriptor, log, signal);
  const capabilities = createCapabilities(cluster, { log, signal, ...deps.probe });
  return { ...cluster, capability: (name) => capabilities.probe(name) };
}

async function connect(
  descriptor: ClusterDescriptor,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<Cluster> {
  const { name, kubeconfig, context, kubernetes } = descriptor;
  const kube = await createKubeClient({ kubeconfig, context, log, signal });
  if (descriptor.provider === 'existing') return existingCluster({ kube, kubernetes, kubeconfig, context });
  const topology = (await readOrigin(kube, `${name}-control-plane`))?.topology;
  return runningKindCluster({
    name,
    kubeconfig,
    kubernetes,
    kube,
    topology,
    plannedNodes: topology === undefined ? [] : plannedNodes(name, topology),
    run: createCommandRunner({ log }),
    log,
    clock: systemClock,
    signal,
    onDelete: () => Promise.resolve(),
  });
}
