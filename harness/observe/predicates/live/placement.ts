/** The placement of pods: spread over nodes, and only on allowed nodes. */
import { mayUse, nodeSelected, taintText, untolerated } from '../../diagnose/node-fit.ts';
import type { Node, Pod } from '../../../kube/api/types.ts';
import type { PredicateResult } from '../result.ts';

/**
 * Pods are spread evenly over the domains of a topology: the fullest domain has at most `maxSkew` pods more than the emptiest.
 *
 * A domain counts only if it has a node that the pods may use (selector, required affinity, taints, cordon): a preference cannot place
 * pods on other nodes.
 *
 * @param topologyKey node label, e.g. `kubernetes.io/hostname`
 */
export function spread(
  pods: readonly Pod[],
  nodes: readonly Node[],
  topologyKey: string,
  options: { maxSkew: number },
): PredicateResult {
  const domainOf = (node: Node | undefined): string | undefined => node?.metadata.labels?.[topologyKey];
  const [first] = pods;
  const usable = first ? nodes.filter((n) => mayUse(first.spec, n) && domainOf(n) !== undefined) : [];
  const counts = new Map<string, number>(usable.map((n) => [domainOf(n) ?? '', 0]));
  const details: string[] = [];
  for (const pod of pods) {
    const node = nodes.find((n) => n.metadata.name === pod.spec.nodeName);
    const domain = domainOf(node);
    if (domain === undefined) {
      details.push(
        `${pod.metadata.name} ${pod.spec.nodeName ? `is on ${pod.spec.nodeName}, which has no label ${topologyKey}` : 'has no node'}`,
      );
      continue;
    }
    counts.set(domain, (counts.get(domain) ?? 0) + 1);
  }
  const numbers = [...counts.values()];
  const skew = numbers.length === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers);
  const layout = [...counts]
    .map(([domain, n]) => `${domain}: ${n}`)
    .toSorted()
    .join(', ');
  // On a single node any placement is even, which proves nothing.
  const provable = counts.size >= 2 && pods.length >= 2;
  if (!provable)
    details.push(
      `${pods.length} pods on ${counts.size} usable ${topologyKey}: a spread needs at least 2 of each`,
    );
  return {
    ok: provable && details.length === 0 && skew <= options.maxSkew,
    expected: `${pods.length} pods over ${counts.size} × ${topologyKey}, differing by at most ${options.maxSkew}`,
    actual: layout === '' ? 'no usable nodes' : `${layout} (differing by ${skew})`,
    observed: [`${topologyKey}: ${layout}`],
    details,
  };
}

interface AllowedNodes {
  /** Labels that each pod's node must have. */
  nodeSelector?: Readonly<Record<string, string>>;
  /** Taint that each pod's node must have, `key=value:effect` or `key:effect`: dedicated nodes. */
  taint?: string;
}

/** Every pod is on a node with these labels and this taint, which its own selector, affinity and tolerations admit. */
export function nodesAllowed(
  pods: readonly Pod[],
  nodes: readonly Node[],
  allowed: AllowedNodes = {},
): PredicateResult {
  const wanted = Object.entries(allowed.nodeSelector ?? {});
  const titles = [
    ...wanted.map(([k, v]) => `${k}=${v}`),
    ...(allowed.taint === undefined ? [] : [`taint ${allowed.taint}`]),
  ];
  const fitting = nodes.filter(
    (n) =>
      wanted.every(([key, value]) => n.metadata.labels?.[key] === value) &&
      (allowed.taint === undefined || (n.spec.taints ?? []).some((t) => taintText(t) === allowed.taint)),
  );
  const details = pods.flatMap((pod) => {
    const name = pod.metadata.name;
    const node = nodes.find((n) => n.metadata.name === pod.spec.nodeName);
    if (!node) return [`${name} has no node`];
    const wrong: string[] = [];
    if (!fitting.includes(node))
      wrong.push(`${name} is on ${node.metadata.name}, which does not have ${titles.join(', ')}`);
    if (!nodeSelected(pod.spec, node))
      wrong.push(`${name} is on ${node.metadata.name}, which its own node selector does not match`);
    const taints = untolerated(pod.spec, node);
    if (taints.length > 0)
      wrong.push(
        `${name} is on ${node.metadata.name} although it does not tolerate ${taints.map(taintText).join(', ')}`,
      );
    return wrong;
  });
  const where = pods.map((p) => `${p.metadata.name} on ${p.spec.nodeName ?? 'no node'}`);
  return {
    ok: pods.length > 0 && details.length === 0,
    expected: `${pods.length} pods on nodes with ${titles.join(', ') || 'what their spec asks for'} (${fitting.map((n) => n.metadata.name).join(', ') || 'there is none'})`,
    actual: where.join(', ') || 'no pods',
    observed: where,
    details,
  };
}
