/** Restores planned labels and taints of the nodes of a running cluster. */
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Node } from '../../harness/kube/api/types.ts';
import { taintText } from '../topology.ts';
import type { PlannedNode } from './planned-nodes.ts';

/** Taints that Kubernetes itself sets and removes. */
const KUBERNETES_TAINT =
  /^(?:node\.kubernetes\.io|node-role\.kubernetes\.io|node\.cloudprovider\.kubernetes\.io)\//;

export type NodeTaint = NonNullable<Node['spec']['taints']>[number];

/**
 * The repair of a node, as sentences and as a merge patch; `undefined` for an intact node.
 *
 * Restores planned labels and taints; removes unplanned taints and cordons. Keeps unplanned labels, which may be set by Kubernetes and are
 * not selected by suites, unless another planned node has a label with the same key.
 */
export function nodeRepair(
  planned: PlannedNode,
  actual: Node,
  all: readonly PlannedNode[],
): { changes: string[]; patch: Record<string, unknown> } | undefined {
  const changes: string[] = [];
  const labels: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(planned.labels)) {
    if (actual.metadata.labels?.[key] === value) continue;
    labels[key] = value;
    changes.push(`label ${key}=${value} of ${planned.name} restored`);
  }
  const selecting = new Set(all.flatMap((node) => Object.keys(node.labels)));
  for (const key of Object.keys(actual.metadata.labels ?? {})) {
    if (!selecting.has(key) || key in planned.labels) continue;
    labels[key] = null;
    changes.push(`label ${key} removed from ${planned.name}`);
  }
  const taints = plannedTaints(planned, actual.spec.taints ?? []);
  const taintsDiffer = textOf(taints) !== textOf(actual.spec.taints ?? []);
  if (taintsDiffer) changes.push(`taints of ${planned.name} set to [${textOf(taints)}]`);
  if (actual.spec.unschedulable === true) changes.push(`${planned.name} uncordoned`);
  if (changes.length === 0) return undefined;
  const spec = {
    ...(taintsDiffer && { taints }),
    ...(actual.spec.unschedulable === true && { unschedulable: null }),
  };
  return { changes, patch: { metadata: { labels }, ...(Object.keys(spec).length > 0 && { spec }) } };
}

/** @returns one sentence for each change */
export async function repairNodes(kube: KubeClient, planned: readonly PlannedNode[]): Promise<string[]> {
  const actual = new Map((await kube.list('Node')).map((node) => [node.metadata.name, node]));
  const changes: string[] = [];
  for (const node of planned) {
    const object = actual.get(node.name);
    const repair = object && nodeRepair(node, object, planned);
    if (!repair) continue;
    await kube.patch('Node', { name: node.name }, repair.patch);
    changes.push(...repair.changes);
  }
  return changes;
}

function plannedTaints(planned: PlannedNode, actual: readonly NodeTaint[]): NodeTaint[] {
  // The taint of a cordon is removed here because the node controller removes it only some time after the uncordon.
  const kept = actual.filter(
    (t) => KUBERNETES_TAINT.test(t.key) && t.key !== 'node.kubernetes.io/unschedulable',
  );
  return [...kept, ...planned.taints];
}

function textOf(taints: readonly NodeTaint[]): string {
  return taints.map(taintText).sort().join(', ');
}
