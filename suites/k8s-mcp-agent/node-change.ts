/** Labels and taints that a node has for the time of a check. */
import type { KubeClient } from '../../harness/kube/client.ts';
import type { Node } from '../../harness/kube/types.ts';
import type { Lab } from '../../harness/suite/lab.ts';

type Taint = NonNullable<Node['spec']['taints']>[number];

export interface ChangeableNode {
  name: string;
  label(key: string, value: string): Promise<void>;
  /** Has these taints beside its own; an earlier call's are gone. */
  taint(...taints: Taint[]): Promise<void>;
}

/** What was there before comes back when the check ends, however it ends; so a check that calls this is `exclusive`. */
export function changeableNode(lab: Lab, kube: KubeClient, node: Node): ChangeableNode {
  const { name } = node.metadata;
  const own = node.spec.taints ?? [];
  const before = node.metadata.labels ?? {};
  const restore: Record<string, string | null> = {};
  lab.defer(`restore labels and taints of ${name}`, async () => {
    await kube.patch('Node', { name }, { metadata: { labels: restore }, spec: { taints: own } });
  });
  return {
    name,
    async label(key, value) {
      restore[key] = before[key] ?? null;
      await kube.patch('Node', { name }, { metadata: { labels: { [key]: value } } });
    },
    async taint(...taints) {
      await kube.patch('Node', { name }, { spec: { taints: [...own, ...taints] } });
    },
  };
}
