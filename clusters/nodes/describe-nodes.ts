/** A cluster's nodes, in the form of the report. */
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { ClusterNode } from '../../harness/kube/cluster/cluster.ts';
import { GPU_RESOURCE, gpuSourceOf } from './gpu-capacity.ts';
import { taintText } from '../topology.ts';

const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

/** All nodes of the API server; `gpus` is the currently allocatable number. */
export async function describeNodes(kube: KubeClient): Promise<ClusterNode[]> {
  const nodes = await kube.list('Node');
  return nodes.map((node) => {
    const labels = node.metadata.labels ?? {};
    const gpus = node.status?.allocatable?.[GPU_RESOURCE];
    return {
      name: node.metadata.name,
      role: CONTROL_PLANE_LABEL in labels ? 'control-plane' : 'worker',
      labels,
      taints: (node.spec.taints ?? []).map(taintText),
      gpus: Number(gpus ?? '0'),
      ...(gpus !== undefined && { gpuSource: gpuSourceOf(node) }),
      kubelet: node.status?.nodeInfo?.kubeletVersion ?? 'unknown',
      runtime: node.status?.nodeInfo?.containerRuntimeVersion ?? 'unknown',
    };
  });
}
