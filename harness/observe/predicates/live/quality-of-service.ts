/** The quality of service that Kubernetes gives to a pod. */
import { parseQuantity } from '../../../kube/api/quantity.ts';
import type { PodSpec } from '../../../kube/api/types.ts';
import { allContainers } from '../../../kube/manifests/objects.ts';

/**
 * `Guaranteed`: every container has limits of cpu and memory that equal its requests; `BestEffort`: no container has any (Kubernetes
 * documentation, "Pod Quality of Service Classes").
 */
export function qualityOfService(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const resources = allContainers(spec).map(({ container }) => container.resources ?? {});
  const named = resources.flatMap(({ requests, limits }) => [
    ...Object.keys(requests ?? {}),
    ...Object.keys(limits ?? {}),
  ]);
  if (!named.some((name) => name === 'cpu' || name === 'memory')) return 'BestEffort';
  const isGuaranteed = resources.every(({ requests, limits }) =>
    ['cpu', 'memory'].every((name) => {
      const limit = limits?.[name];
      // An absent request is that of the limit.
      return limit !== undefined && parseQuantity(requests?.[name] ?? limit) === parseQuantity(limit);
    }),
  );
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}
