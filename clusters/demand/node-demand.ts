/** What the pods of one workload ask of nodes: labels, distinct nodes, zones, GPUs, a RuntimeClass. Pure. */
import { z } from 'zod';
import { requiredTerms } from '../../harness/observe/diagnose/node-fit.ts';
import { matchesSelector } from '../../harness/kube/api/selectors.ts';
import type { LabelSelector, PodSpec } from '../../harness/kube/api/types.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';
import { allContainers, field } from '../../harness/kube/manifests/objects.ts';
import { updateMargins } from '../../harness/kube/manifests/update-margins.ts';

export const HOSTNAME = 'kubernetes.io/hostname';
const GPU_RESOURCE = 'nvidia.com/gpu';

/** A preference shows on three nodes what it shows on more. */
const NODES_FOR_A_PREFERENCE = 3;

/** A number, and what asks for it: `required anti-affinity of Deployment web over kubernetes.io/hostname`. */
export interface Wanted {
  count: number;
  why: string;
}

export interface NodeDemand {
  /** `Deployment web`. */
  title: string;
  spec: PodSpec;
  /** Labels of the pods, and where they are: rules of other workloads may select them. */
  labels: Readonly<Record<string, string>>;
  namespace: string | undefined;
  /**
   * Alternatives, one for each term of required node affinity: for each label key the values of which a node must have one. A pod without
   * a demand has one empty alternative.
   */
  nodeLabels: readonly ReadonlyMap<string, readonly string[]>[];
  /** Nodes that differ from each other; absent for a DaemonSet, which takes those that exist. */
  nodes: Wanted;
  /** By topology key, except the host name: how many different values the nodes have. */
  domains: ReadonlyMap<string, Wanted>;
  /** What must not be in the same domain of the key. */
  apart: readonly { key: string; selector: LabelSelector }[];
  /** It runs on every node that fits, so nothing can be kept apart from it. */
  everywhere: boolean;
  /** GPUs of all its pods; 0 if it asks for a GPU node only. Absent: none. */
  gpus: Wanted | undefined;
  runtimeClass: string | undefined;
  /** Extended resources that no node can get: `amd.com/gpu`. */
  otherResources: readonly string[];
}

const selector = z.object({
  matchLabels: z.record(z.string(), z.string()).exactOptional(),
  matchExpressions: z
    .array(
      z.object({
        key: z.string(),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string()).exactOptional(),
      }),
    )
    .exactOptional(),
});
const term = z.object({
  topologyKey: z.string(),
  labelSelector: selector.optional(),
  namespaces: z.array(z.string()).max(0).optional(),
  // A term about other namespaces does not select the pods beside; an empty selector selects all namespaces.
  namespaceSelector: z.strictObject({}).optional(),
});
const spreadConstraint = z.object({
  topologyKey: z.string(),
  maxSkew: z.int().positive(),
  minDomains: z.int().optional(),
  whenUnsatisfiable: z.string().optional(),
});

/** A rule that wants pods in different domains of a topology key. */
interface Rule {
  key: string;
  /** `required anti-affinity`. */
  name: string;
  /** Domains without which some pods get no node; a preference has none. */
  needs: number | undefined;
}

/** @param pods the model of the workload; what is malformed asks for nothing, the API server will refuse it */
export function demandOf(workload: ModelWorkload): NodeDemand {
  const { object, title, template, replicas, hostPorts } = workload;
  const { spec } = template;
  const labels = template.metadata.labels ?? {};
  const everywhere = object.kind === 'DaemonSet';
  const pods = everywhere ? 1 : (replicas?.least ?? 1);
  const surge = pods > 0 && !everywhere ? surgeOf(workload) : 0;
  const apart = podTerms(spec, 'podAntiAffinity', 'required');
  const rules = [
    ...apart.map(({ topologyKey, labelSelector }) => ({
      key: topologyKey,
      name: 'required anti-affinity',
      needs: matchesSelector(labelSelector, labels) ? pods + surge : 1,
    })),
    ...(hostPorts.length > 0 && !everywhere
      ? [{ key: HOSTNAME, name: `host port ${hostPorts.join(', ')}`, needs: pods + surge }]
      : []),
    ...spreadRules(spec, pods),
    ...podTerms(spec, 'podAntiAffinity', 'preferred')
      .filter(({ labelSelector }) => matchesSelector(labelSelector, labels))
      .map(({ topologyKey }) => ({
        key: topologyKey,
        name: 'preferred anti-affinity',
        needs: undefined,
      })),
    // The domain has to exist.
    ...podTerms(spec, 'podAffinity', 'required').map(({ topologyKey }) => ({
      key: topologyKey,
      name: 'pod affinity',
      needs: 1,
    })),
  ];
  const domains = everywhere ? new Map<string, Wanted>() : domainsOf(title, rules);
  return {
    title,
    spec,
    labels,
    namespace: object.metadata.namespace,
    nodeLabels: nodeLabelsOf(spec),
    nodes: everywhere
      ? { count: 1, why: `node selection of ${title}` }
      : nodesOf(title, rules, domains, { pods, surge }),
    domains,
    apart: everywhere
      ? []
      : apart.flatMap(({ topologyKey, labelSelector }) =>
          labelSelector ? [{ key: topologyKey, selector: labelSelector }] : [],
        ),
    everywhere,
    gpus: gpusOf(title, spec, pods + surge),
    runtimeClass: spec.runtimeClassName,
    otherResources: extendedResources(spec).filter((name) => name !== GPU_RESOURCE),
  };
}

function nodesOf(
  title: string,
  rules: readonly Rule[],
  domains: ReadonlyMap<string, Wanted>,
  { pods, surge }: { pods: number; surge: number },
): Wanted {
  const wanted = rules
    .filter(({ key }) => key === HOSTNAME)
    .map(({ name, needs }): Wanted => {
      const more = needs === pods + surge && surge > 0 ? ', and one node more for its rolling update' : '';
      return {
        count: needs ?? Math.min(pods, NODES_FOR_A_PREFERENCE),
        why: `${name} of ${title} over ${HOSTNAME}${more}`,
      };
    });
  return [...wanted, ...domains.values(), { count: 1, why: `node selection of ${title}` }].reduce((a, b) =>
    b.count > a.count ? b : a,
  );
}

/** Two domains are the fewest over which anything spreads. */
function domainsOf(title: string, rules: readonly Rule[]): Map<string, Wanted> {
  const found = new Map<string, Wanted>();
  for (const { key, name, needs = 2 } of rules) {
    if (key === HOSTNAME) continue;
    const count = Math.max(2, needs);
    if (count <= (found.get(key)?.count ?? 0)) continue;
    found.set(key, { count, why: `${name} of ${title} over ${key}` });
  }
  return found;
}

/** With fewer domains than minDomains, each one takes at most maxSkew pods (PodTopologySpread, "minDomains"). */
function spreadRules(spec: PodSpec, pods: number): Rule[] {
  return listOf(spec['topologySpreadConstraints']).flatMap((entry) => {
    const { data } = spreadConstraint.safeParse(entry);
    if (!data) return [];
    const { topologyKey: key, maxSkew, minDomains, whenUnsatisfiable } = data;
    const needs =
      minDomains === undefined || whenUnsatisfiable === 'ScheduleAnyway'
        ? undefined
        : Math.min(minDomains, Math.ceil(pods / maxSkew));
    return [{ key, name: 'topology spread', needs }];
  });
}

function podTerms(
  { affinity }: PodSpec,
  kind: 'podAffinity' | 'podAntiAffinity',
  level: 'required' | 'preferred',
) {
  return listOf(field(field(affinity, kind), `${level}DuringSchedulingIgnoredDuringExecution`)).flatMap(
    (entry) => {
      const { data } = term.safeParse(level === 'required' ? entry : field(entry, 'podAffinityTerm'));
      return data ? [data] : [];
    },
  );
}

/** Pods above `replicas` during an update that removes no pod before a new one is available. */
function surgeOf({ object, replicas }: ModelWorkload): number {
  if (object.kind !== 'Deployment') return 0;
  const { surge, unavailable } = updateMargins(field(object['spec'], 'strategy'), replicas?.least ?? 1);
  return unavailable > 0 ? 0 : Math.min(1, surge);
}

function nodeLabelsOf(spec: PodSpec): Map<string, string[]>[] {
  const fixed = Object.entries(spec.nodeSelector ?? {}).map(([key, value]) => [key, [value]] as const);
  const terms = requiredTerms(spec);
  return (terms.length === 0 ? [[]] : terms).map((expressions) => {
    const labels = new Map<string, string[]>(fixed.map(([key, values]) => [key, [...values]]));
    for (const { key, operator, values = [] } of expressions) {
      const allowed = valuesFor(operator, values);
      if (allowed === undefined) continue;
      const before = labels.get(key);
      labels.set(
        key,
        before && operator !== 'Exists' ? before.filter((v) => allowed.includes(v)) : (before ?? allowed),
      );
    }
    return labels;
  });
}

/** Values that satisfy an expression of node affinity; `undefined` when a node without the label satisfies it. */
function valuesFor(operator: string, values: readonly string[]): string[] | undefined {
  const bound = Number(values[0]);
  if (operator === 'In') return [...values];
  if (operator === 'Exists') return ['true'];
  if (operator === 'Gt') return [String(bound + 1)];
  if (operator === 'Lt') return [String(bound - 1)];
  return undefined;
}

/** An init container runs before the others, so its GPUs are free again; the sum is never too small. */
function gpusOf(title: string, spec: PodSpec, pods: number): Wanted | undefined {
  const each = allContainers(spec).reduce((sum, { container }) => {
    const { limits, requests } = container.resources ?? {};
    const count = Number(limits?.[GPU_RESOURCE] ?? requests?.[GPU_RESOURCE] ?? 0);
    return sum + (Number.isFinite(count) ? count : 0);
  }, 0);
  if (each > 0) return { count: each * pods, why: `${GPU_RESOURCE} of ${title}` };
  if (spec.runtimeClassName === 'nvidia') return { count: 0, why: `runtimeClassName of ${title}` };
  const selects = nodeLabelsOf(spec).every((labels) =>
    [...labels.keys()].some((key) => key.startsWith(GPU_RESOURCE)),
  );
  return selects ? { count: 0, why: `node selection of ${title}` } : undefined;
}

/** Resources of a domain that is not Kubernetes' own (Kubernetes documentation, "Extended resources"). */
function extendedResources(spec: PodSpec): string[] {
  const names = allContainers(spec).flatMap(({ container }) =>
    Object.keys({ ...container.resources?.requests, ...container.resources?.limits }),
  );
  return [...new Set(names)].filter((name) => /^(?!([^/]*\.)?kubernetes\.io\/)[^/]+\//.test(name));
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
