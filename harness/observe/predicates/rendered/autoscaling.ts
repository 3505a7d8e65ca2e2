/** What an autoscaler needs, as the manifests have it. */
import type { KubeObject } from '../../../kube/api/types.ts';
import { field, find, nameOf, ofKind, podSpecOf } from '../../../kube/manifests/objects.ts';
import { containersOf, everyOne } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/**
 * Every HorizontalPodAutoscaler has a rendered target that leaves `replicas` to it, and whose containers all request cpu:
 * utilisation is counted against the requests, and one container without any makes the metric fail.
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
        : `cannot count: ${lacking.map((entry) => entry.title).join(', ')} requests no cpu`;
    },
  });
}
