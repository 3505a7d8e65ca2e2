/** The nodes that kind creates for a topology, with kind's names and in kind's order. Pure. */
import type { NodeGroup, Topology } from '../../harness/kube/cluster/cluster.ts';

export interface PlannedNode {
  name: string;
  role: 'control-plane' | 'worker';
  labels: Record<string, string>;
  taints: NonNullable<NodeGroup['taints']>;
  /** `undefined`: not a GPU node; 0: a GPU node with no GPU left. */
  gpus: number | undefined;
}

export function controlPlaneOf(cluster: string): string {
  return `${cluster}-control-plane`;
}

/**
 * Lists the nodes of a kind cluster: one control plane, then the workers group by group.
 *
 * kind names nodes `<cluster>-<role>`, with a number from the second node of a role (kind, pkg/cluster/internal/providers/common/namer.go).
 */
export function plannedNodes(cluster: string, topology: Topology): PlannedNode[] {
  const workers = topology.groups.flatMap((group) =>
    Array.from({ length: group.count }, (_, index) => ({ group, gpus: group.gpus?.[index] })),
  );
  return [
    { name: controlPlaneOf(cluster), role: 'control-plane', labels: {}, taints: [], gpus: undefined },
    ...workers.map(({ group, gpus }, index) => ({
      name: `${cluster}-worker${index === 0 ? '' : index + 1}`,
      role: 'worker' as const,
      labels: group.labels ?? {},
      taints: group.taints ?? [],
      gpus,
    })),
  ];
}

/** The nodes that advertise GPUs, with their number of GPUs. */
export function gpuNodes(planned: readonly PlannedNode[]): { name: string; gpus: number }[] {
  return planned.flatMap(({ name, gpus }) => (gpus === undefined ? [] : [{ name, gpus }]));
}
