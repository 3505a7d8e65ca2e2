/** NetworkPolicies that shut out everybody from a Service of the chart. */
import type { ModelWorkload } from '../../../kube/manifests/model/model.ts';
import {
  allowsAnybody,
  namedPorts,
  restricting,
  rulesOf,
} from '../../../kube/manifests/model/network-policies.ts';
import { targetPorts } from '../../../kube/manifests/model/service-ports.ts';
import { listed } from '../../../core/wording.ts';
import { nameOf } from '../../../kube/manifests/objects.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';

/**
 * Where policies have rules for who may call a workload, at least one of the ports to which its Services lead is open to somebody. Policies
 * without any rule shut everybody out on purpose.
 */
export function policiesAdmitSomebody(workloads: readonly ModelWorkload[]): PredicateResult {
  const complaints = workloads.flatMap((workload) => {
    const policies = restricting(
      workload.networkPolicies,
      'ingress',
      workload.template.metadata.labels ?? {},
    );
    const ports = targetPorts(workload);
    if (ports.length === 0 || policies.every((policy) => rulesOf(policy, 'ingress').length === 0)) return [];
    if (ports.some((port) => allowsAnybody(policies, 'ingress', port))) return [];
    const named = policies.flatMap((policy) => namedPorts(policy, 'ingress'));
    const leads = ports.map(({ service, number }) => `${nameOf(service)} leads to port ${number}`);
    return `${listed(policies.map(nameOf))} admits traffic to port ${listed(named)} of ${workload.title} only, and ${listed(leads)}`;
  });
  return nothingWrong('policies admit somebody to the ports to which Services lead', complaints);
}
