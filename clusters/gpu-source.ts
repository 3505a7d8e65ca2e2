/** Where a node's GPUs come from, noted on the node: whoever looks at the cluster later has to be able to tell invented ones from real ones. */
import type { Node } from '../harness/kube/api/types.ts';
import type { GpuSource } from './cluster.ts';

export const GPU_SOURCE_ANNOTATION = 'kindproof.dev/gpu-source';

/** `real` where this tool has left no note: it writes one with every capacity that it invents. */
export function gpuSourceOf(node: Node | undefined): GpuSource {
  const noted = node?.metadata.annotations?.[GPU_SOURCE_ANNOTATION];
  return noted === 'status-patch' || noted === 'device-plugin' ? noted : 'real';
}
