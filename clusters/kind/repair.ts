/** Brings the nodes of a running cluster back to what was planned, where the API can. */
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Node } from '../../harness/kube/api/types.ts';
import { taintText } from '../topology.ts';
import type { PlannedNode } from './planned-nodes.ts';

/** Taints and labels that Kubernetes itself sets and removes. */
const OWN_TAINT = /^(?:node\.kubernetes\.io|node-role\.kubernetes\.io|node\.cloudprovider\.kubernetes\.io)\//;

export type NodeTaint = NonNullable<Node['spec']['taints']>[number];

/**
 * What has to change on a node, as sentences and as a merge patch; `undefined` when nothing has to.
 *
 * Planned labels and taints are put back, taints that nobody planned and cordons are taken away. Labels that nobody planned stay: they
 * may be Kubernetes' own, and no suite selects by them; except those that another planned node carries, by which suites do select.
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
    changes.push(`label ${key}=${value} put back on ${planned.name}`);
  }
  const selecting = new Set(all.flatMap((node) => Object.keys(node.labels)));
  for (const key of Object.keys(actual.metadata.labels ?? {})) {
    if (!selecting.has(key) || key in planned.labels) continue;
    labels[key] = null;
    changes.push(`label ${key} taken from ${planned.name}`);
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

/** @returns one sentence for each change that was made */
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
  // Uncordoning removes the taint that stands for it; the node controller would only do so a moment later.
  const kept = actual.filter((t) => OWN_TAINT.test(t.key) && t.key !== 'node.kubernetes.io/unschedulable');
  return [...kept, ...planned.taints];
}

function textOf(taints: readonly NodeTaint[]): string {
  return taints.map(taintText).sort().join(', ');
}
