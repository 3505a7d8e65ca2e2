/** Whether pods are where their manifests ask for. */
import { mayUse, nodeDemand, nodeSelected, taintText, untolerated } from '../../diagnose/node-fit.ts';
import { matchesSelector, selectorText } from '../../../kube/api/selectors.ts';
import type { LabelSelector, Node, Pod, PodSpec } from '../../../kube/api/types.ts';
import { field } from '../../../kube/manifests/objects.ts';
import type { ModelWorkload, UsedClaim } from '../../../kube/manifests/model/model.ts';
import type { PredicateResult } from '../result.ts';

interface Term {
  labelSelector?: LabelSelector;
  topologyKey?: string;
  namespaces?: string[];
  namespaceSelector?: LabelSelector;
}

interface Spread {
  maxSkew: number;
  topologyKey: string;
  whenUnsatisfiable?: string;
  labelSelector?: LabelSelector;
}

/** What the cluster looks like to the scheduler. */
export interface Surroundings {
  nodes: readonly Node[];
  /** All pods of the release, those of the workload included: topology spread counts them, too. */
  pods: readonly Pod[];
}

/**
 * The pods of one workload are on nodes that its manifest allows, and as far apart as it asks for: required anti-affinity and topology
 * spread hold. A preference for being apart is broken when the manifest itself ties the pods together; otherwise the scheduler had its
 * reasons, which are reported. Only rules that select the workload's own pods are looked at.
 *
 * @param pods the workload's own pods, none terminating
 */
export function placedAsRendered(
  { title, template, claims }: ModelWorkload,
  pods: readonly Pod[],
  surroundings: Surroundings,
): PredicateResult {
  const { spec } = template;
  const labels = template.metadata.labels ?? {};
  const domains = domainsFor(spec, pods, surroundings);
  const own = antiAffinity(spec).filter(({ term }) => isAboutOwn(term, labels));
  const crowded = own
    .filter(({ required }) => !required)
    .flatMap(({ term }) => crowding(domains.count(term.topologyKey, pods), pods.length, term));
  const ties = tiesOf(spec, labels, { claims, pods });
  const details = [
    ...pods.flatMap((pod) => wrongNode(spec, pod, domains.nodeOf(pod))),
    ...own
      .filter(({ required }) => required)
      .flatMap(({ term }) => together(domains.count(term.topologyKey, pods), term)),
    ...(ties.length > 0 ? crowded.map((text) => `${text}: ${ties.join(', ')}`) : []),
    ...spreads(spec)
      .filter(
        (one) => one.whenUnsatisfiable !== 'ScheduleAnyway' && matchesSelector(one.labelSelector, labels),
      )
      .flatMap((one) => skewed(domains.count(one.topologyKey, selected(surroundings.pods, one)), one)),
  ];
  const where = pods.map((pod) => `${pod.metadata.name} on ${pod.spec.nodeName ?? 'no node'}`).join(', ');
  return {
    ok: pods.length > 0 && details.length === 0,
    expected: `the pods of ${title} where ${rulesText(spec)} asks for them`,
    actual: pods.length === 0 ? 'selected nothing: it has no pods' : (details[0] ?? where),
    observed: [`${title}: ${where}`, ...crowded],
    details,
  };
}

/** Whether the manifest says anything about where the pods run. */
export function hasPlacementRules({ template: { spec } }: ModelWorkload): boolean {
  return rulesText(spec) !== '';
}

type Counts = ReadonlyMap<string, number>;

/** The topology domains that the pods may use, and how many of some pods are in each. */
function domainsFor(
  spec: PodSpec,
  pods: readonly Pod[],
  { nodes }: Surroundings,
): {
  nodeOf: (pod: Pod) => Node | undefined;
  count: (key: string | undefined, of: readonly Pod[]) => Counts;
} {
  // Controllers add tolerations to the pods of a DaemonSet.
  const tolerations = pods[0]?.spec.tolerations ?? [];
  const usable = nodes.filter((node) => mayUse({ ...spec, tolerations }, node));
  const nodeOf = (pod: Pod): Node | undefined =>
    nodes.find(({ metadata }) => metadata.name === pod.spec.nodeName);
  return {
    nodeOf,
    count(key = '', of) {
      const found = new Map(
        usable.flatMap(({ metadata }) => metadata.labels?.[key] ?? []).map((name) => [name, 0]),
      );
      for (const pod of of) {
        const domain = nodeOf(pod)?.metadata.labels?.[key];
        if (domain !== undefined) found.set(domain, (found.get(domain) ?? 0) + 1);
      }
      return found;
    },
  };
}

function wrongNode(spec: PodSpec, pod: Pod, node: Node | undefined): string[] {
  if (!node) return [`${pod.metadata.name} has no node`];
  const where = `${pod.metadata.name} is on ${node.metadata.name}`;
  // A taint that is younger than the pod does not move it, unless its effect is NoExecute.
  const taints = untolerated(pod.spec, node).filter(({ effect }) => effect === 'NoExecute');
  return [
    ...(nodeSelected(spec, node) ? [] : [`${where}, which does not have ${nodeDemand(spec) ?? ''}`]),
    ...taints.map((taint) => `${where}, whose taint ${taintText(taint)} it does not tolerate`),
  ];
}

/** Pods that prefer to be apart and share a domain, although another one is free. */
function crowding(counts: Counts, pods: number, { topologyKey = '' }: Term): string[] {
  const used = [...counts.values()].filter((count) => count > 0).length;
  if (used >= Math.min(pods, counts.size)) return [];
  return [
    `${pods} pods that prefer to be apart share ${used} of ${counts.size} ${topologyKey} (${layoutText(counts)})`,
  ];
}

function together(counts: Counts, { topologyKey = '' }: Term): string[] {
  if (Math.max(0, ...counts.values()) <= 1) return [];
  return [`required anti-affinity over ${topologyKey} does not hold: ${layoutText(counts)}`];
}

function skewed(counts: Counts, { topologyKey, maxSkew }: Spread): string[] {
  const numbers = [...counts.values()];
  const skew = numbers.length === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers);
  if (skew <= maxSkew) return [];
  return [
    `the pods differ by ${skew} over ${topologyKey}, at most ${maxSkew} is allowed: ${layoutText(counts)}`,
  ];
}

function selected(pods: readonly Pod[], { labelSelector }: Spread): Pod[] {
  return pods.filter(({ metadata }) => matchesSelector(labelSelector, metadata.labels));
}

function rulesText(spec: PodSpec): string {
  const rules = {
    nodeSelector: Object.keys(spec.nodeSelector ?? {}).length > 0,
    affinity: Object.keys(spec.affinity ?? {}).length > 0,
    topologySpreadConstraints: spreads(spec).length > 0,
  };
  return Object.entries(rules)
    .flatMap(([name, has]) => (has ? [name] : []))
    .join(' and ');
}

function antiAffinity({ affinity }: PodSpec): { term: Term; required: boolean }[] {
  const rules = field(affinity, 'podAntiAffinity');
  const required = (field(rules, 'requiredDuringSchedulingIgnoredDuringExecution') ?? []) as Term[];
  const preferred = (field(rules, 'preferredDuringSchedulingIgnoredDuringExecution') ?? []) as {
    podAffinityTerm?: Term;
  }[];
  return [
    ...required.map((term) => ({ term, required: true })),
    ...preferred.map(({ podAffinityTerm = {} }) => ({ term: podAffinityTerm, required: false })),
  ];
}

function spreads(spec: PodSpec): Spread[] {
  const constraints = spec['topologySpreadConstraints'];
  return Array.isArray(constraints) ? (constraints as Spread[]) : [];
}

/** A term about other namespaces does not select the pods beside. */
function isAboutOwn(term: Term, labels: Readonly<Record<string, string>>): boolean {
  const elsewhere = (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined;
  return !elsewhere && matchesSelector(term.labelSelector, labels);
}

/** What in its manifest keeps the pods of a workload on one node. */
function tiesOf(
  { affinity }: PodSpec,
  labels: Readonly<Record<string, string>>,
  { claims, pods }: { claims: readonly UsedClaim[]; pods: readonly Pod[] },
): string[] {
  const nodes = [...new Set(pods.flatMap((pod) => pod.spec.nodeName ?? []))];
  const shared = claims.filter(
    ({ origin, accessModes }) =>
      origin === 'claim' && accessModes.length > 0 && !accessModes.some((mode) => mode.endsWith('Many')),
  );
  const rules = field(affinity, 'podAffinity');
  const required = (field(rules, 'requiredDuringSchedulingIgnoredDuringExecution') ?? []) as Term[];
  return [
    ...shared.map(
      ({ name, accessModes }) =>
        `all of them mount PersistentVolumeClaim ${name} (${accessModes.join(', ')}), whose volume only node ${nodes.join(', ')} can mount`,
    ),
    ...required
      .filter((term) => isAboutOwn(term, labels))
      .map(
        ({ labelSelector, topologyKey = '' }) =>
          `required pod affinity to ${selectorText(labelSelector)} over ${topologyKey} ties them together`,
      ),
  ];
}

function layoutText(counts: Counts): string {
  const layout = [...counts].map(([domain, count]) => `${domain}: ${count}`).toSorted();
  return layout.join(', ') || 'no node fits';
}
