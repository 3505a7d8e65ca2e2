/** The nodes with GPUs, and the agent's pod on each. */
import { GPU_RESOURCE } from '../../clusters/nodes/gpu-capacity.ts';
import { GPU_NODE_LABELS } from '../../clusters/topology.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { CheckSkipped } from '../../harness/run/suite/check.ts';
import type { Pod } from '../../harness/kube/api/types.ts';

/** How the document finds the agent's pods. */
export const AGENT_SELECTOR = 'app.kubernetes.io/name=k8s-mcp-agent';

/** The toleration that a workload needs on GPU nodes. */
export const GPU_TOLERATION = { key: GPU_RESOURCE, operator: 'Exists', effect: 'NoSchedule' };

/** The limit of a container that uses this many GPUs. */
export function gpuLimit(count: number): Record<string, string> {
  return { [GPU_RESOURCE]: String(count) };
}

export interface GpuNodeFacts {
  name: string;
  /** The capacity in its status. */
  gpus: number;
}

/**
 * Nodes with the label of GPU nodes, sorted by name.
 *
 * @throws CheckSkipped when there are none
 */
export async function gpuNodes(kube: KubeClient): Promise<GpuNodeFacts[]> {
  const labelSelector = Object.entries(GPU_NODE_LABELS)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const nodes = await kube.list('Node', { labelSelector });
  if (nodes.length === 0) throw new CheckSkipped(`no node carries ${labelSelector}`);
  return nodes
    .map(({ metadata, status }) => ({
      name: metadata.name,
      gpus: Number(status?.capacity?.[GPU_RESOURCE] ?? 0),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The pods on a node that the documented command selects. */
export function agentPodsOn(kube: KubeClient, namespace: string, node: string): Promise<Pod[]> {
  return kube.list('Pod', {
    namespace,
    labelSelector: AGENT_SELECTOR,
    fieldSelector: `spec.nodeName=${node}`,
  });
}
