/** Placement rules in manifests. */
import { matchesSelector } from '../../../kube/api/selectors.ts';
import type { KubeObject, LabelSelector } from '../../../kube/api/types.ts';
import { field, nameOf, podSpecOf, podTemplateOf } from '../../../kube/manifests/objects.ts';
import type { PredicateResult } from '../result.ts';

interface AntiAffinityExpectation {
  /** Weight of a preferred term; absent for a required term. */
  weight?: number;
  key: string;
  values: readonly string[];
  topologyKey: string;
}

interface Term {
  labelSelector?: LabelSelector;
  topologyKey?: string;
}

/** The anti-affinity of the pods has exactly this term: `key In values` over `topologyKey`. */
export function antiAffinityTerm(object: KubeObject, wanted: AntiAffinityExpectation): PredicateResult {
  const kind = wanted.weight === undefined ? 'required' : `preferred (weight ${wanted.weight})`;
  const expected = `${kind} anti-affinity: ${wanted.key} In [${wanted.values.join(', ')}] over ${wanted.topologyKey}`;
  const terms = termsOf(object);
  if (terms.length === 0)
    return { ok: false, expected, actual: `${nameOf(object)} has no pod anti-affinity` };
  const ok = terms.some(({ weight, term }) => weight === wanted.weight && fits(term, wanted));
  return { ok, expected, actual: terms.map(termText).join('; ') };
}

/** The workload's pods keep apart over `topologyKey`, by an anti-affinity or a topology spread constraint that selects them. */
export function replicasKeepApart(object: KubeObject, topologyKey: string): PredicateResult {
  const expected = `a rule that keeps the pods of ${nameOf(object)} apart over ${topologyKey}`;
  const template = podTemplateOf(object);
  const constraints = (template?.spec['topologySpreadConstraints'] ?? []) as Term[];
  const rules = [
    ...termsOf(object).map(({ weight, term }) => ({
      term,
      text: `anti-affinity, ${termText({ weight, term })}`,
    })),
    ...constraints.map((term) => ({ term, text: `topology spread over ${term.topologyKey ?? 'nothing'}` })),
  ];
  const labels = template?.metadata.labels ?? {};
  const effective = rules.filter(
    ({ term }) => term.topologyKey === topologyKey && matchesSelector(term.labelSelector, labels),
  );
  const found = rules.map(({ text }) => text).join('; ');
  return {
    ok: effective.length > 0,
    expected,
    actual: found === '' ? 'neither anti-affinity nor topology spread constraints' : found,
  };
}

function termsOf(object: KubeObject): { weight?: number | undefined; term: Term }[] {
  const rules = field(podSpecOf(object)?.affinity, 'podAntiAffinity');
  const preferred = (field(rules, 'preferredDuringSchedulingIgnoredDuringExecution') ?? []) as {
    weight: number;
    podAffinityTerm?: Term;
  }[];
  const required = (field(rules, 'requiredDuringSchedulingIgnoredDuringExecution') ?? []) as Term[];
  return [
    ...preferred.map(({ weight, podAffinityTerm = {} }) => ({ weight, term: podAffinityTerm })),
    ...required.map((term) => ({ term })),
  ];
}

/** Exactly one requirement; a `matchLabels` entry equals `In` with one value. */
function fits({ labelSelector, topologyKey }: Term, wanted: AntiAffinityExpectation): boolean {
  const requirements = requirementsOf(labelSelector);
  const [only] = requirements;
  return (
    topologyKey === wanted.topologyKey &&
    requirements.length === 1 &&
    only?.key === wanted.key &&
    only.operator === 'In' &&
    [...(only.values ?? [])].sort().join('\n') === [...wanted.values].sort().join('\n')
  );
}

function requirementsOf(
  selector: Term['labelSelector'],
): { key: string; operator: string; values?: string[] }[] {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: 'In',
    values: [value],
  }));
  return [...labels, ...(selector?.matchExpressions ?? [])];
}

function termText({ weight, term }: { weight?: number | undefined; term: Term }): string {
  const requirements = requirementsOf(term.labelSelector).map(
    ({ key, operator, values }) => `${key} ${operator} [${values?.join(', ') ?? ''}]`,
  );
  return `${weight === undefined ? 'required' : `preferred (weight ${weight})`}: ${requirements.join(' and ') || 'no labels'} over ${term.topologyKey ?? 'nothing'}`;
}
