/** The nodes that a pod may use: by selector, required affinity and taints, like the scheduler. */
import { z } from 'zod';
import { matchesExpression, type Expression } from '../../kube/api/selectors.ts';
import type { Node, PodSpec } from '../../kube/api/types.ts';
import { expressionText } from '../../kube/api/selectors.ts';

const expression = z.object({
  key: z.string(),
  operator: z.string(),
  values: z.array(z.string()).optional(),
});
const term = z.object({
  matchExpressions: z.array(expression).optional(),
  matchFields: z.array(expression).optional(),
});
const nodeAffinity = z.object({
  nodeAffinity: z.object({
    requiredDuringSchedulingIgnoredDuringExecution: z.object({ nodeSelectorTerms: z.array(term) }),
  }),
});

type Constraints = Pick<PodSpec, 'nodeSelector' | 'affinity' | 'tolerations'>;

/** Required node affinity terms of a pod; one of them has to match. */
export function requiredTerms(spec: Constraints): Expression[][] {
  const parsed = nodeAffinity.safeParse(spec.affinity);
  if (!parsed.success) return [];
  const { nodeSelectorTerms } = parsed.data.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  return nodeSelectorTerms.map((t) => [...(t.matchExpressions ?? []), ...(t.matchFields ?? [])]);
}

/** The pod's nodeSelector and required node affinity as text; undefined when it has neither. */
export function nodeDemand(spec: Constraints): string | undefined {
  const selector = Object.entries(spec.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`);
  const terms = requiredTerms(spec).map((t) => t.map(expressionText).join(' and '));
  const demands = [...selector, ...(terms.length > 0 ? [terms.join(' or ')] : [])];
  return demands.length === 0 ? undefined : demands.join(', ');
}

interface Demand {
  key: string;
  /** `gpu=true`, `gpu in (a, b)`. */
  text: string;
  isMet: boolean;
}

/** Each demand of nodeSelector and required node affinity on a node; of several terms, those of the one that the node meets best. */
export function demandsOf(spec: Constraints, node: Node): Demand[] {
  const labels = node.metadata.labels ?? {};
  const fields = { ...labels, 'metadata.name': node.metadata.name };
  const selector = Object.entries(spec.nodeSelector ?? {}).map(([key, value]): Demand => ({
    key,
    text: `${key}=${value}`,
    isMet: labels[key] === value,
  }));
  const unmet = (demands: readonly Demand[]): number => demands.filter(({ isMet }) => !isMet).length;
  const terms = requiredTerms(spec).map((t) =>
    t.map((e): Demand => ({ key: e.key, text: expressionText(e), isMet: holds(e, fields) })),
  );
  const best = [...terms].sort((a, b) => unmet(a) - unmet(b))[0] ?? [];
  return [...selector, ...best];
}

/** True when nodeSelector and required node affinity match the node. */
export function nodeSelected(spec: Constraints, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  if (!Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)) return false;
  const terms = requiredTerms(spec);
  const fields = { ...labels, 'metadata.name': node.metadata.name };
  return terms.length === 0 || terms.some((t) => t.length > 0 && t.every((e) => holds(e, fields)));
}

/** Node affinity has two operators more than a label selector: Gt and Lt (NodeSelectorRequirement, Kubernetes API reference). */
function holds(term: Expression, fields: Readonly<Record<string, string>>): boolean {
  const value = Number(fields[term.key]);
  const bound = Number(term.values?.[0]);
  if (term.operator === 'Gt') return value > bound;
  if (term.operator === 'Lt') return value < bound;
  return matchesExpression(term, fields);
}

interface Taint {
  key: string;
  value?: string;
  effect: string;
}

/** Taints of the node (NoSchedule, NoExecute) that the pod does not tolerate. */
export function untolerated(spec: Constraints, node: Node): Taint[] {
  return (node.spec.taints ?? []).filter(
    (taint) =>
      taint.effect !== 'PreferNoSchedule' && !(spec.tolerations ?? []).some((t) => tolerates(t, taint)),
  );
}

/** Kubernetes documentation, "Taints and Tolerations": an empty key with Exists tolerates every taint, an empty effect every effect. */
function tolerates(toleration: NonNullable<PodSpec['tolerations']>[number], taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.operator === 'Exists') return !toleration.key || toleration.key === taint.key;
  return toleration.key === taint.key && (toleration.value ?? '') === (taint.value ?? '');
}

export function taintText(taint: Taint): string {
  return `${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect}`;
}

/** `gpu=true:NoSchedule`, `gpu` (any value), `gpu=true` (any effect). */
export function tolerationText({
  key = '',
  operator,
  value,
  effect,
}: NonNullable<PodSpec['tolerations']>[number]): string {
  return `${key}${operator === 'Exists' || !value ? '' : `=${value}`}${effect ? `:${effect}` : ''}`;
}

/** True when selector, affinity, taints and cordon allow the pod on the node. */
export function mayUse(spec: Constraints, node: Node): boolean {
  return !node.spec.unschedulable && nodeSelected(spec, node) && untolerated(spec, node).length === 0;
}
