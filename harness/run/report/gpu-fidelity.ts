/** How faithful a cluster's GPUs are: results on simulated GPUs must not be mistaken for results on real ones. */
import type { ClusterNode, GpuSource } from '../../kube/cluster/cluster.ts';

const WORDS: Record<GpuSource, string> = {
  'status-patch': 'scheduling only (capacity by status patch)',
  'device-plugin': 'allocation by a fake device plugin',
  real: 'real',
};

type GpuNode = Pick<ClusterNode, 'name' | 'gpus'> & { gpuSource?: GpuSource | undefined };

/**
 * `scheduling only (capacity by status patch)`, with node names when the nodes differ; `undefined` when no node has GPUs.
 *
 * Printed after the word GPU. `real` is every capacity that kindproof did not simulate.
 */
export function gpuFidelity(nodes: readonly GpuNode[]): string | undefined {
  const bySource = new Map<GpuSource, string[]>();
  for (const { name, gpuSource } of nodes) {
    if (gpuSource === undefined) continue;
    bySource.set(gpuSource, [...(bySource.get(gpuSource) ?? []), name]);
  }
  const [only, ...others] = bySource.keys();
  if (only === undefined) return undefined;
  if (others.length === 0) return WORDS[only];
  return [...bySource].map(([source, names]) => `${WORDS[source]} on ${names.join(', ')}`).join('; ');
}

/** `4 on kp-worker, 1 on kp-worker2`. */
export function gpuCounts(nodes: readonly GpuNode[]): string {
  return nodes
    .filter(({ gpuSource }) => gpuSource !== undefined)
    .map(({ name, gpus }) => `${gpus} on ${name}`)
    .join(', ');
}
