/** Labels and selectors as the manifests have them. */
import type { KubeObject, LabelSelector, Service } from '../../../kube/api/types.ts';
import { matchesLabels, matchesSelector } from '../../../kube/api/selectors.ts';
import { field, longRunning, nameOf, ofKind, podTemplateOf } from '../../../kube/manifests/objects.ts';
import { everyOne } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/** Labels that change from one version of a chart to the next (Helm, "Labels and Annotations"). */
const CHANGING_LABELS = new Set([
  'helm.sh/chart',
  'app.kubernetes.io/version',
  'chart',
  'version',
  'heritage',
  'app.kubernetes.io/managed-by',
]);

/** Every Service selects the pods of exactly one long-running workload. */
export function servicesSelectTheirPods(objects: readonly KubeObject[]): PredicateResult {
  const services = ofKind(objects, 'Service').filter(
    (object) => Object.keys((object as Service).spec.selector ?? {}).length > 0,
  );
  const pods = longRunning(objects);
  return everyOne(services as Service[], {
    expected: 'every Service selects the pods of exactly one workload',
    what: 'Services with a selector',
    title: nameOf,
    wrong: ({ spec }) => {
      const selected = pods.filter((workload) =>
        matchesLabels(spec.selector, podTemplateOf(workload)?.metadata.labels),
      );
      if (selected.length === 1) return undefined;
      if (selected.length > 1) return `selects the pods of ${selected.map(nameOf).join(' and ')}`;
      return `selects no pod: ${nearest(spec.selector ?? {}, pods)}`;
    },
  });
}

/**
 * Every workload's selector survives an upgrade: no label in it changes with the chart's or the app's version, as the field is
 * immutable; and it selects the workload's own pods.
 */
export function selectorsAreStable(objects: readonly KubeObject[]): PredicateResult {
  const selecting = longRunning(objects).filter((object) => object.kind !== 'Pod');
  return everyOne(selecting, {
    expected: 'every workload selects its own pods by labels that never change',
    what: 'workloads with a selector',
    title: nameOf,
    wrong: (object) => {
      const selector = field(object['spec'], 'selector') as LabelSelector | undefined;
      const keys = [
        ...Object.keys(selector?.matchLabels ?? {}),
        ...(selector?.matchExpressions ?? []).map((e) => e.key),
      ];
      if (keys.length === 0) return 'has no selector';
      const changing = keys.filter((key) => CHANGING_LABELS.has(key));
      if (changing.length > 0) return `selects by ${changing.join(', ')}, which changes with a version`;
      const own = matchesSelector(selector, podTemplateOf(object)?.metadata.labels);
      return own ? undefined : 'does not select its own pods';
    },
  });
}

function nearest(selector: Readonly<Record<string, string>>, pods: readonly KubeObject[]): string {
  const lacks = pods.map((workload) => {
    const labels = podTemplateOf(workload)?.metadata.labels ?? {};
    const wrong = Object.entries(selector).filter(([key, value]) => labels[key] !== value);
    return `${nameOf(workload)} lacks ${wrong.map(([key, value]) => `${key}=${value}`).join(', ')}`;
  });
  return lacks.join('; ') || 'there is no workload';
}
