/** NetworkPolicies that may deny what a check does. */
import { field } from '../../harness/kube/manifests/objects.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';

/** Whether a policy of the chart restricts who may call the workload: a pod of a foreign namespace may be denied on purpose. */
export function restrictsIngress({ networkPolicies }: Pick<ModelWorkload, 'networkPolicies'>): boolean {
  return networkPolicies.some(({ spec }) => {
    const types = field(spec, 'policyTypes');
    return !Array.isArray(types) || types.includes('Ingress');
  });
}
