/** Restarts a node of a kind cluster: what a power cut is to a real one. */
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { ensureGpuCapacity } from '../gpu-capacity.ts';
import { waitForSystem } from '../system-readiness.ts';
import { readOrigin } from './fingerprint.ts';
import { startTimes, waitForFreshStates } from './fresh-states.ts';
import { listNodeContainers } from './node-containers.ts';
import type { PlannedNode } from './planned-nodes.ts';
import { gpuNodes } from './planned-nodes.ts';
import { repairNodes } from './repair.ts';

export interface RestartNode {
  cluster: string;
  node: string;
  kube: KubeClient;
  plannedNodes: readonly PlannedNode[];
  run: CommandRunner;
  clock: Clock;
  signal?: AbortSignal | undefined;
}

/** Time for the processes of the node's own, as `docker restart` gives them. */
const STOP_SECONDS = 10;

/**
 * Restarts a worker's container and waits until the node works again: the API has fresh states of it and its pods, planned labels, taints
 * and GPUs are there, the system's pods are ready. Its pods stay bound to it; their containers are started anew.
 *
 * A control plane is refused: when its address changes, neither etcd nor its certificates know it any more (kubernetes-sigs/kind#2045).
 *
 * @returns one sentence for everything that had to be put back
 * @throws InfrastructureError `E_NODE_RESTART`, or `E_CLUSTER_NOT_READY` when it does not come back
 */
export async function restartNode(options: RestartNode): Promise<string[]> {
  const { cluster, node, kube, plannedNodes, run, clock, signal } = options;
  const containers = await listNodeContainers(run, cluster);
  if (!containers.some(({ name, role }) => name === node && role === 'worker')) {
    throw new InfrastructureError('E_NODE_RESTART', `${node} is not a worker of cluster ${cluster}`, {
      hint: `its workers: ${containers.flatMap((c) => (c.role === 'worker' ? [c.name] : [])).join(', ')}`,
    });
  }
  const origin = await readOrigin(kube, `${cluster}-control-plane`);
  // Not bound to the signal: a node that is stopped only would be left behind.
  await run.run('docker', ['restart', '--time', String(STOP_SECONDS), node]);
  await waitForFreshStates({ kube, clock, signal }, await startTimes(run, [node]));
  const repairs = await repairNodes(kube, plannedNodes);
  const gpus = await ensureGpuCapacity(kube, gpuNodes(plannedNodes), { clock, signal });
  await waitForSystem(kube, containers.length, {
    timeoutMs: 90_000,
    namespaces: origin?.systemNamespaces ?? ['kube-system'],
    clock,
    signal,
  });
  return [...repairs, ...gpus.map((name) => `GPU capacity of ${name} put back`)];
}
