/** Services that ask for an address from outside the cluster. */
import { field } from '../../../kube/manifests/objects.ts';
import type { Service } from '../../../kube/api/types.ts';

/** What is pending about a Service of type LoadBalancer: a note, because clusters without a cloud provider give out no addresses. */
export function pendingAddress({ metadata, spec, status }: Service): string | undefined {
  const ingress = field(field(status, 'loadBalancer'), 'ingress');
  if (spec.type !== 'LoadBalancer' || (Array.isArray(ingress) && ingress.length > 0)) return undefined;
  return `Service ${metadata.name} is of type LoadBalancer, and its external address is pending: nothing on this cluster gives out addresses; inside the cluster it works without`;
}
