/** Whether two releases of a chart can exist side by side, by what both render. */
import { matchesSelector } from '../../../kube/api/selectors.ts';
import type { KubeObject, LabelSelector } from '../../../kube/api/types.ts';
import type { ExistsOnce } from '../../../kube/manifests/model/model.ts';
import { field, longRunning, nameOf, podTemplateOf } from '../../../kube/manifests/objects.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';
import { selectedNothing } from '../select.ts';

/** Nothing of the chart can exist only once on a cluster. */
export function canBeInTwoNamespaces(existsOnce: readonly ExistsOnce[]): PredicateResult {
  return nothingWrong(
    'a second release of the same name can be in another namespace',
    existsOnce.map(({ object, says }) => `${object} ${says}`),
  );
}

/**
 * Two releases in one namespace share no object, and no workload of one selects the pods of the other.
 *
 * @param one rendered under one name, without tests and hooks
 * @param other rendered under another name in the same namespace
 */
export function canShareNamespace(one: readonly KubeObject[], other: readonly KubeObject[]): PredicateResult {
  const expected = 'two releases of different names can be in one namespace';
  if (one.length === 0) return selectedNothing(expected, 'there are no objects');
  const names = new Set(other.map(nameOf));
  const shared = one.filter((object) => names.has(nameOf(object)));
  const mixed = longRunning(one).flatMap((object) => {
    const selector = field(object['spec'], 'selector') as LabelSelector | undefined;
    const foreign = longRunning(other).find(
      (candidate) =>
        selector !== undefined && matchesSelector(selector, podTemplateOf(candidate)?.metadata.labels),
    );
    return foreign
      ? [`${nameOf(object)} also selects the pods of ${nameOf(foreign)} of the other release`]
      : [];
  });
  const complaints = [
    ...shared.map((object) => `${nameOf(object)} has this name in both releases`),
    ...mixed,
  ];
  return {
    ...nothingWrong(expected, complaints),
    observed: [`${one.length} objects of each release compared`],
  };
}
