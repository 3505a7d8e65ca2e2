/** NetworkPolicies that may deny what a check does. */
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { field } from '../../harness/kube/manifests/objects.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';
import { type Direction, restricting } from '../../harness/kube/manifests/model/network-policies.ts';
import { namespaceOf } from '../../harness/kube/manifests/model/subject-model.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { modelOfRelease } from './live-workloads.ts';

const POLICY = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };
const OPEN = 'kindproof-allows-all';

/** Whether a policy of the chart restricts who may call the workload: a pod of a foreign namespace may be denied on purpose. */
export function restrictsIngress({ networkPolicies }: Pick<ModelWorkload, 'networkPolicies'>): boolean {
  return networkPolicies.some(({ spec }) => {
    const types = field(spec, 'policyTypes');
    return !Array.isArray(types) || types.includes('Ingress');
  });
}

/** The policies of the chart that restrict the workload in one direction. */
export function restrictingOf(
  { networkPolicies, template }: Pick<ModelWorkload, 'networkPolicies' | 'template'>,
  direction: Direction,
): KubeObject[] {
  return restricting(networkPolicies, direction, template.metadata.labels ?? {});
}

/**
 * Works while the policies of the release deny nothing. Policies add up: one that allows everything takes the others out of force, in the
 * namespaces of the chart's pods.
 */
export async function withoutPolicies<T>(lab: Lab, release: Release, work: () => Promise<T>): Promise<T> {
  const { kube } = lab;
  const namespaces = new Set(
    modelOfRelease(release).workloads.map(({ object }) => namespaceOf(object, release)),
  );
  const close = async (): Promise<void> => {
    for (const namespace of namespaces) await kube.teardown.delete(POLICY, { name: OPEN, namespace });
  };
  lab.defer(`delete NetworkPolicy ${OPEN}`, close);
  for (const namespace of namespaces)
    await kube.apply({
      ...POLICY,
      metadata: { name: OPEN, namespace, labels: lab.labels },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] },
    });
  try {
    return await work();
  } finally {
    await close();
  }
}
