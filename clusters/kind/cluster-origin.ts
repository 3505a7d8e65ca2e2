/** What a cluster was created from, recorded on its control plane node: a later run decides by it whether the cluster still fits. */
import { z } from 'zod';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Topology } from '../../harness/kube/cluster/cluster.ts';
import { taintText, topologySchema } from '../topology.ts';
import { controlPlaneOf } from './planned-nodes.ts';

/** An annotation, because kind cannot label its containers. It survives restarts of the node. */
const ANNOTATION = 'kindproof.dev/cluster';

const originSchema = z.object({
  /** Digest of the node image. */
  nodeImage: z.string(),
  topology: topologySchema,
  /** Namespaces that existed right after creation. */
  systemNamespaces: z.array(z.string()),
});

export type ClusterOrigin = z.infer<typeof originSchema>;

export async function writeOrigin(kube: KubeClient, cluster: string, origin: ClusterOrigin): Promise<void> {
  const annotations = { [ANNOTATION]: JSON.stringify(origin) };
  await kube.patch('Node', { name: controlPlaneOf(cluster) }, { metadata: { annotations } });
}

/** `undefined` when the cluster has no origin, or one that this version cannot read. */
export async function readOrigin(kube: KubeClient, cluster: string): Promise<ClusterOrigin | undefined> {
  const node = await kube.get('Node', { name: controlPlaneOf(cluster) });
  const text = node?.metadata.annotations?.[ANNOTATION];
  if (text === undefined) return undefined;
  try {
    return originSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Whether two topologies result in the same cluster: same nodes in the same order, same RuntimeClasses and metrics. Storage classes do not
 * count: a cluster gets those of each run (storage-classes.ts).
 */
export function sameTopology(a: Topology, b: Topology): boolean {
  return JSON.stringify(normalised(a)) === JSON.stringify(normalised(b));
}

function normalised(topology: Topology): unknown {
  return {
    groups: topology.groups.map((group) => ({
      count: group.count,
      labels: Object.entries(group.labels ?? {}).sort(),
      taints: (group.taints ?? []).map(taintText).sort(),
      gpus: group.gpus ?? null,
    })),
    runtimeClasses: [...(topology.runtimeClasses ?? [])].sort(),
    metrics: topology.metrics ?? false,
    cpus: topology.cpus ?? null,
  };
}
