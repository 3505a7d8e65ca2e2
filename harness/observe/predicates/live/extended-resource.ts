/** Pods that hold an extended resource, which no other pod can use meanwhile. */
import { parseQuantity } from '../../../kube/api/quantity.ts';
import type { Pod } from '../../../kube/api/types.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';
import { selectedNothing } from '../select.ts';

/**
 * The amount of an extended resource that the scheduler counts for a pod; 0 once the pod has ended.
 *
 * Kubernetes documentation, "Extended resources": requests and limits are equal, and the manifest may omit either. Init containers run one
 * after the other, so the largest of them counts if it exceeds the sum of all other containers.
 */
export function heldBy(pod: Pod, resource: string): number {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return 0;
  const of = (container: Pod['spec']['containers'][number]): number =>
    parseQuantity(container.resources?.requests?.[resource] ?? container.resources?.limits?.[resource] ?? 0);
  const inits = pod.spec.initContainers ?? [];
  const staying = [...pod.spec.containers, ...inits.filter((c) => c.restartPolicy === 'Always')];
  const sum = staying.reduce((total, container) => total + of(container), 0);
  return Math.max(sum, ...inits.map(of));
}

/** No pod holds any of the resource. */
export function holdsNone(pods: readonly Pod[], resource: string): PredicateResult {
  const expected = `${pods.length} pods hold no ${resource}`;
  if (pods.length === 0) return selectedNothing(expected, 'no pods');
  const holding = pods.flatMap((pod) => {
    const held = heldBy(pod, resource);
    return held === 0
      ? []
      : [`${pod.metadata.name} holds ${held} ${resource} of ${pod.spec.nodeName ?? 'no node'}`];
  });
  return {
    ...nothingWrong(expected, holding),
    observed: [`${pods.length} pods hold ${holding.length === 0 ? 'no' : 'some'} ${resource}`],
  };
}
