/** The nodes that kind makes of a topology, in the order and with the names it gives them. Pure. */
import type { NodeGroup, Topology } from '../cluster.ts';

export interface PlannedNode {
  name: string;
  role: 'control-plane' | 'worker';
  labels: Record<string, string>;
  taints: NonNullable<NodeGroup['taints']>;
  /** `undefined`: the node is not a GPU node; 0: a GPU node whose GPUs are all gone. */
  gpus: number | undefined;
}

/**
 * Lists the nodes of a kind cluster: one control plane, then the workers group by group.
 *
 * kind names nodes `<cluster>-<role>` and numbers them from the second one of a role on (kind, pkg/cluster/internal/
 * providers/common/namer.go).
 */
export function plannedNodes(cluster: string, topology: Topology): PlannedNode[] {
  const workers = topology.groups.flatMap((group) =>
    Array.from({ length: group.count }, (_, index) => ({ group, gpus: group.gpus?.[index] })),
  );
  return [
    { name: `${cluster}-control-plane`, role: 'control-plane', labels: {}, taints: [], gpus: undefined },
    ...workers.map(({ group, gpus }, index) => ({
      name: `${cluster}-worker${index === 0 ? '' : index + 1}`,
      role: 'worker' as const,
      labels: group.labels ?? {},
      taints: group.taints ?? [],
      gpus,
    })),
  ];
}

/** The nodes that are to advertise GPUs, with how many. */
export function gpuNodes(planned: readonly PlannedNode[]): { name: string; gpus: number }[] {
  return planned.flatMap(({ name, gpus }) => (gpus === undefined ? [] : [{ name, gpus }]));
}
