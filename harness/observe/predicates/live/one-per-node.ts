/** The pods of a DaemonSet: one on each selected node, none on other nodes. */
import { matchesLabels } from '../../../kube/api/selectors.ts';
import type { Node, Pod } from '../../../kube/api/types.ts';
import type { PredicateResult } from '../result.ts';

/**
 * Exactly one pod runs on each node that carries all the labels, and none on the others, control planes included.
 *
 * Does not hold when all nodes carry the labels, or none does: then the placement proves nothing.
 *
 * @param pods of the workload; terminating pods count, because they still run on their node
 */
export function onePerNode(
  pods: readonly Pod[],
  nodes: readonly Node[],
  labels: Readonly<Record<string, string>>,
): PredicateResult {
  const text = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const meant = nodes.filter((node) => matchesLabels(labels, node.metadata.labels));
  const details = [
    ...(meant.length === 0 ? [`no node carries ${text}`] : []),
    ...(meant.length === nodes.length ? [`all nodes carry ${text}: no pod could be on a wrong one`] : []),
    ...nodes.flatMap((node) => problemOf(node, meant.includes(node), pods, text)),
    ...pods.flatMap((pod) => (pod.spec.nodeName === undefined ? [`${pod.metadata.name} has no node`] : [])),
  ];
  const layout = nodes
    .map((node) => `${node.metadata.name}: ${on(node, pods).length}`)
    .toSorted()
    .join(', ');
  return {
    ok: details.length === 0,
    expected: `one pod on each of ${names(meant) || 'no nodes'} (${text}), none elsewhere`,
    actual: [layout, ...details].join('; '),
    observed: [`pods on ${layout}`],
    details,
  };
}

function problemOf(node: Node, meant: boolean, pods: readonly Pod[], text: string): string[] {
  const here = on(node, pods).map((pod) => pod.metadata.name);
  const { name } = node.metadata;
  if (meant && here.length === 0) return [`no pod is on ${name}, which carries ${text}`];
  if (meant && here.length > 1) return [`${here.length} pods are on ${name}: ${here.join(', ')}`];
  if (!meant && here.length > 0) return [`${here.join(', ')} is on ${name}, which does not carry ${text}`];
  return [];
}

function on(node: Node, pods: readonly Pod[]): Pod[] {
  return pods.filter((pod) => pod.spec.nodeName === node.metadata.name);
}

function names(nodes: readonly Node[]): string {
  return nodes.map((node) => node.metadata.name).join(', ');
}
