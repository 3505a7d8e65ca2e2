/** Labels and taints that a check gives to a node temporarily. */
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Node } from '../../harness/kube/api/types.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';

type Taint = NonNullable<Node['spec']['taints']>[number];

export interface ChangeableNode {
  name: string;
  label(key: string, value: string): Promise<void>;
  /** Adds these taints to the node's own, in place of those of an earlier call. */
  taint(...taints: Taint[]): Promise<void>;
}

/**
 * The original labels and taints are restored when the check ends, on every exit path. A check that uses this has to be `exclusive`.
 *
 * Taints are added to and removed from the present ones, never written back as a whole: Kubernetes sets some itself on a node that is
 * late with its heartbeat, and writing these back later would evict the node's pods.
 */
export function changeableNode(lab: Pick<Lab, 'defer'>, kube: KubeClient, node: Node): ChangeableNode {
  const { name } = node.metadata;
  const before = node.metadata.labels ?? {};
  const restore: Record<string, string | null> = {};
  const added: Taint[] = [];
  const taint = async (
    taints: readonly Taint[],
    labels: Record<string, string | null> = {},
    client = kube,
  ): Promise<void> => {
    const present = (await client.get('Node', { name }))?.spec.taints ?? [];
    const others = present.filter((one) => !added.some((own) => isSame(one, own)));
    added.push(...taints);
    await client.patch('Node', { name }, { metadata: { labels }, spec: { taints: [...others, ...taints] } });
  };
  lab.defer(`restore labels and taints of ${name}`, () => taint([], restore, kube.teardown));
  return {
    name,
    async label(key, value) {
      restore[key] = before[key] ?? null;
      await kube.patch('Node', { name }, { metadata: { labels: { [key]: value } } });
    },
    taint: (...taints) => taint(taints),
  };
}

/** A node has at most one taint per key and effect. */
function isSame(one: Taint, other: Taint): boolean {
  return one.key === other.key && one.effect === other.effect;
}
