/** Explains why a pod has no node. */
import { z } from 'zod';
import { parseQuantity } from '../../../kube/api/quantity.ts';
import type { Pod } from '../../../kube/api/types.ts';
import type { Cause } from '../diagnosis.ts';
import { explainBinding, explainClaim } from './claim.ts';
import { HINT } from './hints.ts';
import { mayUse, nodeDemand, taintText, untolerated } from '../node-fit.ts';
import type { SchedulingReason } from './scheduler-message.ts';
import { parseSchedulerMessage } from './scheduler-message.ts';
import { selectorText } from '../../../kube/api/selectors.ts';
import { clip, count, listed } from '../../../core/wording.ts';
import type { PodTrouble, World } from '../world.ts';
import { eventsOf, RANK } from '../world.ts';

/** Order in which obstacles are followed upstream: first those that no deletion of another pod could remove. */
const ORDER: readonly SchedulingReason['obstacle'][] = [
  'missing-claim',
  'unbound-claim',
  'volume-node',
  'no-volume',
  'node-selector',
  'anti-affinity',
  'affinity',
  'topology-label',
  'topology-spread',
  'insufficient',
  'too-many-pods',
  'host-port',
  'unschedulable',
  'taint',
  'other',
];

/** The scheduler's last message about a pod: from its condition, else from its events. */
export function schedulerMessage(pod: Pod, world: Pick<World, 'events'>): string | undefined {
  const condition = pod.status?.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False');
  if (condition?.message) return condition.message;
  return eventsOf(world.events, { ...pod, kind: 'Pod' }).findLast((e) => e.reason === 'FailedScheduling')
    ?.message;
}

/** Undefined when the pod has a node, or when neither the scheduler nor a provisioner has reported anything. */
export function explainScheduling(pod: Pod, world: World): PodTrouble | undefined {
  if (pod.spec.nodeName) return undefined;
  const message = schedulerMessage(pod, world);
  if (message === undefined) return waitsForVolume(pod, world);
  const refusal = parseSchedulerMessage(message);
  if (!refusal) {
    return {
      says: `is Pending: ${clip(message)}`,
      upstream: claimCauses(pod, world)?.causes ?? [],
      rank: RANK.unscheduled,
    };
  }
  const reasons = [...refusal.reasons].sort((a, b) => ORDER.indexOf(a.obstacle) - ORDER.indexOf(b.obstacle));
  const texts = reasons.map((r) => reasonText(r, pod, world));
  const fit =
    refusal.total === 1 ? 'the only node does not take it' : `none of ${refusal.total} nodes takes it`;
  const [main] = reasons;
  const roots = main ? rootOf(main, pod, world) : { causes: [] };
  return {
    says: `is Pending: ${fit}: ${texts.join('; ')}`,
    upstream: roots.causes,
    hint: roots.hint,
    rank: RANK.unscheduled,
  };
}

/** The scheduler has chosen a node and waits for the volume of a claim. It reports nothing about the pod for ten minutes. */
function waitsForVolume(pod: Pod, world: World): PodTrouble | undefined {
  const claims = claimCauses(pod, world);
  if (!claims || claims.mayHeal) return undefined;
  return {
    says: 'is Pending: the scheduler waits for the volume of its PersistentVolumeClaim',
    upstream: claims.causes,
    hint: claims.hint,
    rank: RANK.unscheduled,
  };
}

function reasonText(reason: SchedulingReason, pod: Pod, world: World): string {
  const nodes = reason.nodes === undefined ? 'all nodes' : count(reason.nodes, 'node');
  const has = reason.nodes === 1 ? 'has' : 'have';
  const does = reason.nodes === 1 ? 'does' : 'do';
  switch (reason.obstacle) {
    case 'insufficient': {
      const resource = reason.detail ?? '';
      return `${nodes} ${has} too little free ${resource} (it requests ${requests(pod, resource).join(' + ')})`;
    }
    case 'taint':
      return `${nodes} ${taintClause(reason, pod, world)}`;
    case 'node-selector':
      return `${nodes} ${does} not match its node selector (${nodeDemand(pod.spec) ?? 'none given'})`;
    case 'anti-affinity':
      return `${nodes} already ${reason.nodes === 1 ? 'runs' : 'run'} a pod that its required anti-affinity keeps away${antiAffinityText(pod)}`;
    case 'affinity':
      return `${nodes} ${reason.nodes === 1 ? 'runs' : 'run'} no pod that its required affinity asks for`;
    case 'volume-node':
      return `${nodes} cannot mount its volume`;
    case 'no-volume':
      return `${nodes} ${has} no volume left for its claim`;
    case 'unbound-claim':
      return 'its PersistentVolumeClaim is not bound';
    case 'missing-claim':
      return `its PersistentVolumeClaim ${reason.detail ?? ''} does not exist`;
    case 'topology-label':
      return `${nodes} ${has} no label ${listed(absentTopologyKeys(pod, world))}, by which its topology spread constraint counts`;
    case 'topology-spread':
      return `${nodes} would break its topology spread constraint`;
    case 'host-port':
      return `${nodes} ${has} its host port in use`;
    case 'too-many-pods':
      return `${nodes} already ${has} the maximum number of pods`;
    case 'unschedulable':
      return `${nodes} ${reason.nodes === 1 ? 'is' : 'are'} cordoned`;
    default:
      return `${nodes}: ${reason.text}`;
  }
}

/** Newer schedulers do not name the taint: take it from the nodes. */
function taintClause(reason: SchedulingReason, pod: Pod, world: World): string {
  const has = reason.nodes === 1 ? 'has' : 'have';
  const found = (world.nodes ?? [])
    .filter((n) => !n.spec.unschedulable)
    .flatMap((n) => untolerated(pod.spec, n).map(taintText));
  const named = reason.detail === undefined ? [...new Set(found)] : [reason.detail];
  if (named.length === 0) return `${has} a taint that it does not tolerate`;
  const control = (taint: string): boolean =>
    /^node-role\.kubernetes\.io\/(control-plane|master)/.test(taint);
  if (named.every(control)) return reason.nodes === 1 ? 'is a control plane' : 'are control planes';
  return `${has} a taint that it does not tolerate (${listed(named.filter((t) => !control(t)))})`;
}

function rootOf(
  reason: SchedulingReason,
  pod: Pod,
  world: World,
): { causes: Cause[]; hint?: string | undefined } {
  switch (reason.obstacle) {
    case 'missing-claim':
    case 'unbound-claim':
      return claimCauses(pod, world) ?? { causes: [], hint: HINT.storageClass };
    case 'volume-node':
    case 'no-volume':
      return boundTo(pod, world);
    case 'node-selector': {
      const demand = nodeDemand(pod.spec);
      if (demand === undefined || !world.nodes) return { causes: [], hint: HINT.nodeSelector };
      const near = nearMisses(pod, world);
      return { causes: [{ object: 'Nodes', says: `do not have ${demand}${near}` }], hint: HINT.nodeSelector };
    }
    case 'taint':
      return { causes: taintedNodes(pod, world), hint: HINT.taint };
    case 'insufficient':
      return shortage(reason.detail ?? '', pod, world);
    case 'anti-affinity':
      return { causes: [], hint: HINT.antiAffinity };
    case 'affinity': {
      const causes = missingTopology(pod, world);
      return { causes, hint: causes.length > 0 ? HINT.topologyKey : HINT.affinity };
    }
    case 'topology-label':
      return { causes: missingTopology(pod, world), hint: HINT.topologyKey };
    case 'topology-spread':
      return { causes: [], hint: HINT.topologySpread };
    case 'host-port':
      return { causes: [], hint: HINT.ports };
    default:
      return { causes: [] };
  }
}

/** Keys by which the pod spreads or has affinity, and that no node has; all keys if the nodes could not be read. */
function absentTopologyKeys(pod: Pod, { nodes }: Pick<World, 'nodes'>): string[] {
  const keys = topologyKeys(pod);
  const absent = keys.filter((key) => !nodes?.some(({ metadata }) => metadata.labels?.[key] !== undefined));
  // Some nodes have each label, others lack it: then the lack is of those.
  return absent.length > 0 ? absent : keys;
}

function topologyKeys({ spec }: Pod): string[] {
  const spread = z.array(z.object({ topologyKey: z.string() })).safeParse(spec['topologySpreadConstraints']);
  const affinity = podAffinity.safeParse(spec.affinity);
  const terms = [
    ...(spread.data ?? []),
    ...(affinity.data?.podAffinity.requiredDuringSchedulingIgnoredDuringExecution ?? []),
  ];
  return [...new Set(terms.map(({ topologyKey }) => topologyKey))];
}

const podAffinity = z.object({
  podAffinity: z.object({
    requiredDuringSchedulingIgnoredDuringExecution: z.array(z.object({ topologyKey: z.string() })),
  }),
});

function missingTopology(pod: Pod, { nodes }: World): Cause[] {
  if (!nodes) return [];
  return topologyKeys(pod)
    .filter((key) => nodes.every(({ metadata }) => metadata.labels?.[key] === undefined))
    .map((key) => ({
      object: 'Nodes',
      says: `do not have the label ${key}: none of ${count(nodes.length, 'node')} has it`,
    }));
}

/** Claims of the pod that are not bound. */
function claimCauses(
  pod: Pod,
  world: World,
): { causes: Cause[]; hint?: string | undefined; mayHeal: boolean } | undefined {
  const names = (pod.spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? []);
  const troubles = names.flatMap((name) => explainClaim(world, name) ?? []);
  if (troubles.length === 0) return undefined;
  return {
    causes: troubles.flatMap((t) => t.causes),
    hint: troubles.find((t) => t.hint)?.hint,
    mayHeal: troubles.every((t) => t.mayHeal),
  };
}

function boundTo(pod: Pod, world: World): { causes: Cause[]; hint?: string } {
  const names = (pod.spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? []);
  const causes = names.flatMap((name) => explainBinding(world, name)?.cause ?? []);
  return { causes, hint: HINT.claimNode };
}

function taintedNodes(pod: Pod, world: World): Cause[] {
  return (world.nodes ?? [])
    .map((node) => ({ node, taints: untolerated(pod.spec, node) }))
    .filter(({ taints }) => taints.some((t) => !t.key.startsWith('node-role.kubernetes.io/')))
    .slice(0, 3)
    .map(({ node, taints }) => ({
      object: `Node ${node.metadata.name}`,
      says: `has the taint ${listed(taints.map(taintText))}`,
    }));
}

/** The nodes' values of the wanted labels, which reveal a typo. */
function nearMisses(pod: Pod, world: World): string {
  const found = Object.keys(pod.spec.nodeSelector ?? {}).flatMap((key) => {
    const values = [...new Set((world.nodes ?? []).flatMap((n) => n.metadata.labels?.[key] ?? []))];
    return values.length === 0
      ? [`no node has the label ${key} at all`]
      : [`${key} is ${listed(values)} on them`];
  });
  return found.length === 0 ? '' : `: ${found.join('; ')}`;
}

function shortage(resource: string, pod: Pod, world: World): { causes: Cause[]; hint: string } {
  const hint = resource.includes('/') ? HINT.extended : HINT.resources;
  if (!world.nodes) return { causes: [], hint };
  const usable = world.nodes.filter((n) => mayUse(pod.spec, n));
  const offers = usable.map((n) => ({ node: n, amount: n.status?.allocatable?.[resource] }));
  const best = offers.reduce<(typeof offers)[number] | undefined>(
    (a, b) => (amount(b.amount) > amount(a?.amount) ? b : a),
    undefined,
  );
  const requested = requests(pod, resource);
  if (best?.amount === undefined) {
    return { causes: [{ object: 'Nodes', says: `that it may use do not advertise ${resource}` }], hint };
  }
  const tooBig = requested.reduce((sum, q) => sum + amount(q), 0) > amount(best.amount);
  const says = tooBig
    ? `offers ${best.amount} ${resource}, the most of all nodes, and the pod requests ${requested.join(' + ')}: it can never fit`
    : `offers ${best.amount} ${resource} in total; other pods have requested too much of it`;
  return { causes: [{ object: `Node ${best.node.metadata.name}`, says }], hint };
}

/** Requests of each container; a missing request equals the limit, as the API server defaults it. */
function requests(pod: Pod, resource: string): string[] {
  return pod.spec.containers.flatMap(
    (c) => c.resources?.requests?.[resource] ?? c.resources?.limits?.[resource] ?? [],
  );
}

function amount(quantity: string | undefined): number {
  return quantity === undefined ? 0 : parseQuantity(quantity);
}

const antiAffinity = z.object({
  podAntiAffinity: z.object({
    requiredDuringSchedulingIgnoredDuringExecution: z.array(
      z.object({
        topologyKey: z.string(),
        labelSelector: z
          .object({
            matchLabels: z.record(z.string(), z.string()).optional(),
            matchExpressions: z
              .array(
                z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }),
              )
              .optional(),
          })
          .optional(),
      }),
    ),
  }),
});

function antiAffinityText(pod: Pod): string {
  const parsed = antiAffinity.safeParse(pod.spec.affinity);
  const [term] = parsed.success
    ? parsed.data.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution
    : [];
  if (!term) return '';
  return ` (${selectorText(term.labelSelector)}, one per ${term.topologyKey})`;
}
