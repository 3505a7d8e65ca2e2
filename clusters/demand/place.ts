/** Finds the fewest nodes on which all workloads of a subject can run. Pure. */
import { nodeSelected } from '../../harness/observe/diagnose/node-fit.ts';
import { matchesSelector } from '../../harness/kube/api/selectors.ts';
import type { Node } from '../../harness/kube/api/types.ts';
import type { NodeGroup } from '../../harness/kube/cluster/cluster.ts';
import { HOSTNAME, type NodeDemand } from './node-demand.ts';

/** Each node takes memory and start time of the user's machine. */
export const MOST_WORKERS = 5;

type Taints = NonNullable<NodeGroup['taints']>;

/** A node to be. */
export interface PlacedNode {
  labels: Record<string, string>;
  taints: Taints;
  isGpu: boolean;
  /** Index of its value of every topology key. */
  domain: number;
  hosted: NodeDemand[];
}

/** What a node has to have for one workload. */
export interface Requirements {
  /** Allowed values by label key. */
  labels: ReadonlyMap<string, readonly string[]>;
  taints: Taints;
  isGpu: boolean;
}

/** Labels of every node by the index of its domain; the names of the domains. */
export type DomainLabels = (domain: number) => Record<string, string>;

export interface Placement {
  nodes: PlacedNode[];
  /** Nodes that were added for the workload. */
  added: { demand: NodeDemand; count: number }[];
  /** Workloads that got fewer nodes than they ask for. */
  short: { demand: NodeDemand; lacks: number }[];
}

/**
 * Starts with plain nodes and gives them labels; adds nodes where labels, taints or rules about being apart do not allow to share. Nodes
 * with taints or GPUs are always additional.
 *
 * @param domains number of topology domains
 */
export function place(
  demands: readonly { demand: NodeDemand; requirements: Requirements }[],
  plain: number,
  domains: { count: number; labels: DomainLabels },
): Placement {
  const nodes: PlacedNode[] = [];
  const create = (domain: number, taints: Taints, isGpu: boolean): PlacedNode => ({
    labels: domains.labels(domain),
    taints,
    isGpu,
    domain,
    hosted: [],
  });
  for (let i = 0; i < plain; i += 1) nodes.push(create(i % domains.count, [], false));
  const placement: Placement = { nodes, added: [], short: [] };
  for (const { demand, requirements } of demands) {
    const spread = Math.max(1, ...[...demand.domains.values()].map(({ count }) => count));
    const chosen: PlacedNode[] = [];
    let added = 0;
    while (chosen.length < demand.nodes.count) {
      const used = new Set(chosen.map(({ domain }) => domain));
      const mustSpread = demand.nodes.count - chosen.length <= spread - used.size;
      const fits = (node: PlacedNode): boolean =>
        !chosen.includes(node) &&
        !(mustSpread && used.has(node.domain)) &&
        hosts(node, demand, requirements, nodes);
      let node = best(nodes.filter(fits), used, requirements);
      if (!node && nodes.length < MOST_WORKERS) {
        const fresh = Array.from({ length: domains.count }, (_, domain) =>
          create(domain, requirements.taints, requirements.isGpu),
        ).filter(fits);
        const load = ({ domain }: PlacedNode): number => nodes.filter((n) => n.domain === domain).length;
        node =
          fresh.toSorted((a, b) => load(a) - load(b)).find(({ domain }) => !used.has(domain)) ?? fresh[0];
        if (node) {
          nodes.push(node);
          added += 1;
        }
      }
      if (!node) break;
      Object.assign(node.labels, withLabels(node.labels, requirements));
      node.hosted.push(demand);
      chosen.push(node);
    }
    if (added > 0) placement.added.push({ demand, count: added });
    if (chosen.length < demand.nodes.count) {
      placement.short.push({ demand, lacks: demand.nodes.count - chosen.length });
    }
  }
  return placement;
}

/** In another domain first, then the one that needs the fewest new labels. */
function best(
  nodes: readonly PlacedNode[],
  used: ReadonlySet<number>,
  { labels }: Requirements,
): PlacedNode | undefined {
  const cost = (node: PlacedNode): number =>
    (used.has(node.domain) ? 100 : 0) + [...labels.keys()].filter((key) => !(key in node.labels)).length;
  return nodes.toSorted((a, b) => cost(a) - cost(b))[0];
}

function hosts(
  node: PlacedNode,
  demand: NodeDemand,
  requirements: Requirements,
  nodes: readonly PlacedNode[],
): boolean {
  if (node.isGpu !== requirements.isGpu || !sameTaints(node.taints, requirements.taints)) return false;
  const object = asNode(withLabels(node.labels, requirements), node.taints);
  const all = [...node.hosted, demand];
  if (!all.every(({ spec }) => nodeSelected(spec, object))) return false;
  return nodes
    .filter((other) => other.domain === node.domain || other === node)
    .every((other) =>
      other.hosted.every((hosted) => hosted === demand || !keepsApart(hosted, demand, other === node)),
    );
}

/** @param isSameNode otherwise they share the domains of all keys but the host name */
function keepsApart(a: NodeDemand, b: NodeDemand, isSameNode: boolean): boolean {
  const refuses = (one: NodeDemand, other: NodeDemand): boolean =>
    one.apart.some((rule) => isApart(rule, one, other) && (isSameNode || rule.key !== HOSTNAME));
  return refuses(a, b) || refuses(b, a);
}

/** Whether a rule of one workload is about the pods of another. */
export function isApart(
  { selector }: NodeDemand['apart'][number],
  one: NodeDemand,
  other: NodeDemand,
): boolean {
  return !other.everywhere && one.namespace === other.namespace && matchesSelector(selector, other.labels);
}

/** The labels of a node with those that are missing. What it has and what is asked for may contradict each other. */
function withLabels(have: Record<string, string>, { labels }: Requirements): Record<string, string> {
  const missing = [...labels]
    .filter(([key]) => !(key in have))
    .map(([key, [first = '']]) => [key, first] as const);
  return { ...have, ...Object.fromEntries(missing) };
}

function sameTaints(a: Taints, b: Taints): boolean {
  return a.length === b.length && a.every((taint) => b.some(({ key }) => key === taint.key));
}

const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

/** Labels that the kubelet of a worker sets. Its name is not known yet. */
const OF_EVERY_NODE = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': ARCHITECTURE };

/** Labels that are not given to a worker: every node has them, or only the control plane. */
export const BUILT_IN_KEYS: ReadonlySet<string> = new Set([
  HOSTNAME,
  ...Object.keys(OF_EVERY_NODE),
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/master',
]);

/** A node as the scheduler sees it. */
export function asNode(labels: Readonly<Record<string, string>>, taints: Taints = []): Node {
  const builtIn = {
    ...OF_EVERY_NODE,
    'beta.kubernetes.io/os': OF_EVERY_NODE['kubernetes.io/os'],
    'beta.kubernetes.io/arch': ARCHITECTURE,
    [HOSTNAME]: 'worker',
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'worker', labels: { ...builtIn, ...labels } },
    spec: { taints },
  };
}
