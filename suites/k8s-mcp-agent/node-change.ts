/** Labels and taints that a node has for the time of a check. */
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Node } from '../../harness/kube/api/types.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';

type Taint = NonNullable<Node['spec']['taints']>[number];

export interface ChangeableNode {
  name: string;
  label(key: string, value: string): Promise<void>;
  /** Has these taints beside its own; an earlier call's are gone. */
  taint(...taints: Taint[]): Promise<void>;
}

/**
 * What was there before comes back when the check ends, however it ends; so a check that calls this is `exclusive`.
 *
 * Taints are added to those of the moment, and taken from them: Kubernetes sets some itself, on a node that is late with its heartbeat, and
 * whoever wrote these again would evict the node's pods when all is well.
 */
export function changeableNode(lab: Pick<Lab, 'defer'>, kube: KubeClient, node: Node): ChangeableNode {
  const { name } = node.metadata;
  const before = node.metadata.labels ?? {};
  const restore: Record<string, string | null> = {};
  const added: Taint[] = [];
  const taint = async (
    taints: readonly Taint[],
    labels: Record<string, string | null> = {},
  ): Promise<void> => {
    const present = (await kube.get('Node', { name }))?.spec.taints ?? [];
    const others = present.filter((one) => !added.some((own) => isSame(one, own)));
    added.push(...taints);
    await kube.patch('Node', { name }, { metadata: { labels }, spec: { taints: [...others, ...taints] } });
  };
  lab.defer(`restore labels and taints of ${name}`, () => taint([], restore));
  return {
    name,
    async label(key, value) {
      restore[key] = before[key] ?? null;
      await kube.patch('Node', { name }, { metadata: { labels: { [key]: value } } });
    },
    taint: (...taints) => taint(taints),
  };
}

/** A node has one taint of a key and an effect at most. */
function isSame(one: Taint, other: Taint): boolean {
  return one.key === other.key && one.effect === other.effect;
}
