/** What NetworkPolicies say about traffic between pods (NetworkPolicy, networking.k8s.io/v1). Pure. */
import { z } from 'zod';
import { matchesSelector } from '../../api/selectors.ts';
import type { KubeObject } from '../../api/types.ts';

/** One side of a connection. */
export interface TrafficEnd {
  namespace: string;
  labels: Readonly<Record<string, string>>;
  namespaceLabels: Readonly<Record<string, string>>;
}

/** A TCP port of the pod that is called. */
export interface TrafficPort {
  number: number;
  /** Of the container port, which a rule may name. */
  name?: string | undefined;
}

/** `unknown`: a rule for addresses decides, and the addresses of pods are not known here. */
export type PolicyAnswer = 'allowed' | 'denied' | 'unknown';

export type Direction = 'ingress' | 'egress';

const selector = z.looseObject({}).nullish();
const peers = z
  .array(
    z.looseObject({ podSelector: selector, namespaceSelector: selector, ipBlock: z.unknown().optional() }),
  )
  .nullish();
const rules = z
  .array(
    z.looseObject({
      from: peers,
      to: peers,
      ports: z
        .array(
          z.looseObject({
            protocol: z.string().nullish(),
            port: z.union([z.string(), z.number()]).nullish(),
            endPort: z.number().nullish(),
          }),
        )
        .nullish(),
    }),
  )
  .nullish();
const policySchema = z.looseObject({
  spec: z.looseObject({
    podSelector: selector,
    policyTypes: z.array(z.string()).nullish(),
    ingress: rules,
    egress: rules,
  }),
});

type Rule = NonNullable<z.infer<typeof rules>>[number];

/**
 * The policies that restrict a pod in one direction. Without any, everything is allowed.
 *
 * @param policies all in the namespace of the pod
 */
export function restricting(
  policies: readonly KubeObject[],
  direction: Direction,
  labels: Readonly<Record<string, string>>,
): KubeObject[] {
  return policies.filter((policy) => {
    const { data } = policySchema.safeParse(policy);
    if (!data || !matchesSelector(data.spec.podSelector ?? {}, labels)) return false;
    const { policyTypes, egress } = data.spec;
    // Ingress always, Egress only with a rule for it, when the types are left out.
    if (!policyTypes) return direction === 'ingress' || (egress ?? []).length > 0;
    return policyTypes.some((type) => type.toLowerCase() === direction);
  });
}

/**
 * Whether policies that restrict a pod allow a connection with another pod: one rule is enough.
 *
 * @param policies those that restrict the pod in this direction, all of one namespace
 * @param other the other side
 * @param port of the pod that is called
 */
export function answerOf(
  policies: readonly KubeObject[],
  direction: Direction,
  own: { namespace: string },
  other: TrafficEnd,
  port: TrafficPort,
): PolicyAnswer {
  const answers = policies
    .flatMap((policy) => rulesOf(policy, direction))
    .filter((rule) => allowsPort(rule, port))
    .map((rule) => allowsPeer(direction === 'ingress' ? rule.from : rule.to, own, other));
  if (answers.includes('allowed')) return 'allowed';
  return answers.includes('unknown') ? 'unknown' : 'denied';
}

/** Whether a rule of these policies lets anybody through to the port. */
export function allowsAnybody(
  policies: readonly KubeObject[],
  direction: Direction,
  port: TrafficPort,
): boolean {
  return policies.flatMap((policy) => rulesOf(policy, direction)).some((rule) => allowsPort(rule, port));
}

/** The ports that the rules of a policy name, for messages; empty when they allow all ports. */
export function namedPorts(policy: KubeObject, direction: Direction): string[] {
  const named = rulesOf(policy, direction).flatMap(({ ports }) => ports ?? []);
  return [
    ...new Set(named.flatMap(({ port }) => (port === undefined || port === null ? [] : [String(port)]))),
  ];
}

export function rulesOf(policy: KubeObject, direction: Direction): Rule[] {
  return policySchema.safeParse(policy).data?.spec[direction] ?? [];
}

function allowsPort({ ports }: Rule, { number, name }: TrafficPort): boolean {
  if (!ports || ports.length === 0) return true;
  return ports.some(({ protocol, port, endPort }) => {
    if ((protocol ?? 'TCP') !== 'TCP') return false;
    if (port === undefined || port === null) return true;
    if (typeof port === 'string') return port === name;
    return port === number || (typeof endPort === 'number' && port <= number && number <= endPort);
  });
}

function allowsPeer(
  list: Rule['from'],
  own: { namespace: string },
  { namespace, labels, namespaceLabels }: TrafficEnd,
): PolicyAnswer {
  if (!list || list.length === 0) return 'allowed';
  const answers = list.map(({ podSelector, namespaceSelector, ipBlock }): PolicyAnswer => {
    if (ipBlock !== undefined && ipBlock !== null) return 'unknown';
    const isNear = namespaceSelector
      ? matchesSelector(namespaceSelector, namespaceLabels)
      : namespace === own.namespace;
    return isNear && matchesSelector(podSelector ?? {}, labels) ? 'allowed' : 'denied';
  });
  if (answers.includes('allowed')) return 'allowed';
  return answers.includes('unknown') ? 'unknown' : 'denied';
}
