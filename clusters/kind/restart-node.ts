/** Restarts a node of a kind cluster, which simulates a power failure. */
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { ensureGpuCapacity } from '../nodes/gpu-capacity.ts';
import { waitForSystem } from '../nodes/system-readiness.ts';
import { readOrigin } from './cluster-origin.ts';
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

/** Grace period for the node's processes; the default of `docker restart`. */
const STOP_SECONDS = 10;

/**
 * Restarts a worker's container and waits until the node is ready: the API has fresh states of the node and its pods, planned labels,
 * taints and GPUs are restored, and the system pods are ready. Pods stay bound to the node; their containers are restarted.
 *
 * Rejects a control plane: its address can change, and etcd and the certificates do not accept a new one (kubernetes-sigs/kind#2045).
 *
 * @returns one sentence for each thing that was restored
 * @throws InfrastructureError `E_NODE_RESTART`, or `E_CLUSTER_NOT_READY` on timeout
 */
export async function restartNode(options: RestartNode): Promise<string[]> {
  const { cluster, node, kube, plannedNodes, run, clock, signal } = options;
  const containers = await listNodeContainers(run, cluster);
  if (!containers.some(({ name, role }) => name === node && role === 'worker')) {
    throw new InfrastructureError('E_NODE_RESTART', `${node} is not a worker of cluster ${cluster}`, {
      hint: `workers: ${containers.flatMap((c) => (c.role === 'worker' ? [c.name] : [])).join(', ')}`,
    });
  }
  const origin = await readOrigin(kube, cluster);
  // Not bound to the signal: an interrupt must not leave the node stopped.
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
  return [...repairs, ...gpus.map((name) => `GPU capacity of ${name} restored`)];
}
