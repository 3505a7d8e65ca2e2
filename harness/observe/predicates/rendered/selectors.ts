/** Selectors of workloads in manifests. */
import type { KubeObject, LabelSelector } from '../../../kube/api/types.ts';
import { matchesSelector } from '../../../kube/api/selectors.ts';
import { field, longRunning, nameOf, podTemplateOf } from '../../../kube/manifests/objects.ts';
import { everyOne } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/** Labels that change with the version of a chart (Helm, "Labels and Annotations"). */
const CHANGING_LABELS = new Set([
  'helm.sh/chart',
  'app.kubernetes.io/version',
  'chart',
  'version',
  'heritage',
  'app.kubernetes.io/managed-by',
]);

/**
 * Every workload selects its own pods, by labels that do not change with the version of chart or application: the selector is immutable, so
 * an upgrade would fail.
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
