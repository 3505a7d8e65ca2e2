/** Who holds an extended resource, which nobody else can have meanwhile. */
import { parseQuantity } from '../../../kube/api/quantity.ts';
import type { Pod } from '../../../kube/api/types.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';
import { selectedNothing } from '../select.ts';

/**
 * How much of an extended resource the scheduler counts for a pod: 0 once it has ended.
 *
 * Kubernetes documentation, "Extended resources": requests and limits are equal, and either may be left out of what is written. Init
 * containers run one after the other, so the largest of them counts, if it is larger than all others together.
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

/** None of the pods holds any of it. */
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
