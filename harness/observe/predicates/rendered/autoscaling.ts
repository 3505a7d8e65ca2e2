/** What an autoscaler needs in manifests. */
import type { KubeObject } from '../../../kube/api/types.ts';
import { field, find, nameOf, ofKind, podSpecOf } from '../../../kube/manifests/objects.ts';
import { containersOf, everyOne } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/**
 * The target of every HorizontalPodAutoscaler is rendered, does not set `replicas`, and all its containers request cpu: utilization is
 * relative to the requests, and a single container without a request makes the metric fail.
 */
export function autoscalersCanScale(objects: readonly KubeObject[]): PredicateResult {
  return everyOne(ofKind(objects, 'HorizontalPodAutoscaler'), {
    expected: 'every autoscaler has a target without fixed replicas, all of whose containers request cpu',
    what: 'HorizontalPodAutoscalers',
    title: nameOf,
    wrong: (autoscaler) => {
      const reference = field(autoscaler['spec'], 'scaleTargetRef');
      const target = find(objects, String(field(reference, 'kind')), String(field(reference, 'name')));
      if (!target || !podSpecOf(target))
        return `scales ${String(field(reference, 'kind'))} ${String(field(reference, 'name'))}, which is not rendered`;
      if (field(target['spec'], 'replicas') !== undefined)
        return `scales ${nameOf(target)}, whose manifest sets replicas: every upgrade would undo the scaling`;
      const lacking = containersOf([target]).filter(
        ({ role, container }) =>
          role !== 'init' &&
          (container.resources?.requests?.['cpu'] ?? container.resources?.limits?.['cpu']) === undefined,
      );
      return lacking.length === 0
        ? undefined
        : `cannot scale: ${lacking.map((entry) => entry.title).join(', ')} requests no cpu`;
    },
  });
}
