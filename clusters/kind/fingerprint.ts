/** What a cluster was made of, kept on its control plane node, so that a later run can tell whether it still fits. */
import { z } from 'zod';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Topology } from '../cluster.ts';
import { topologySchema } from '../topology.ts';

/** kind cannot label its containers; annotations of a node survive its restarts. */
const ANNOTATION = 'kindproof.dev/cluster';

const originSchema = z.object({
  runId: z.string(),
  keep: z.boolean(),
  nodeImage: z.string(),
  topology: topologySchema,
  systemNamespaces: z.array(z.string()),
});

export interface ClusterOrigin {
  runId: string;
  /** The user asked for the cluster to stay. */
  keep: boolean;
  /** Digest of the node image. */
  nodeImage: string;
  topology: Topology;
  /** Namespaces that were there right after creation. */
  systemNamespaces: string[];
}

export async function writeOrigin(kube: KubeClient, node: string, origin: ClusterOrigin): Promise<void> {
  const annotations = { [ANNOTATION]: JSON.stringify(origin) };
  await kube.patch('Node', { name: node }, { metadata: { annotations } });
}

/** `undefined` when the cluster carries no origin, or one that this version does not understand. */
export async function readOrigin(kube: KubeClient, node: string): Promise<ClusterOrigin | undefined> {
  const object = await kube.get('Node', { name: node });
  const text = object?.metadata.annotations?.[ANNOTATION];
  if (text === undefined) return undefined;
  try {
    return originSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Whether two topologies make the same cluster: same nodes in the same order, same handlers, classes and metrics. */
export function sameTopology(a: Topology, b: Topology): boolean {
  return JSON.stringify(normalised(a)) === JSON.stringify(normalised(b));
}

function normalised(topology: Topology): unknown {
  return {
    groups: topology.groups.map((group) => ({
      count: group.count,
      labels: Object.entries(group.labels ?? {}).sort(),
      taints: (group.taints ?? []).map((t) => `${t.key}=${t.value ?? ''}:${t.effect}`).sort(),
      gpus: group.gpus ?? null,
    })),
    runtimeClasses: [...(topology.runtimeClasses ?? [])].sort(),
    storageClasses: [...(topology.storageClasses ?? [])].sort(),
    metrics: topology.metrics ?? false,
  };
}
