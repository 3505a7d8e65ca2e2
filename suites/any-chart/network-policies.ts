/** NetworkPolicies that may deny what a check does. */
import { DoesNotFit } from '../../harness/core/errors.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
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
const ADMITS = 'kindproof-admits';

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

/**
 * Lets pods of a namespace of the check call the pods of a release that policies of the chart restrict. Policies add up: everybody else
 * stays denied. The pods of that namespace get a policy, too, so that a control in it waits for its policies as the release does. Without
 * such policies, nothing is created.
 *
 * A policy takes effect some time after its creation: the caller has to try until its first call is accepted.
 *
 * @param namespace belongs to the check
 * @returns whether there are such policies
 * @throws DoesNotFit when the check may not create policies
 */
export async function admit(lab: Lab, release: Release, namespace: string): Promise<boolean> {
  const restricted = modelOfRelease(release).workloads.flatMap((workload) =>
    restrictingOf(workload, 'ingress').map((policy) => ({ workload, policy })),
  );
  const [first] = restricted;
  if (!first) return false;
  const from = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } }];
  const admitting = (name: string, where: string, podSelector: unknown): KubeObject => ({
    ...POLICY,
    metadata: { name, namespace: where, labels: lab.labels },
    spec: { podSelector, policyTypes: ['Ingress'], ingress: [{ from }] },
  });
  const policies = new Map(
    restricted.map(({ policy: { metadata, spec } }) => {
      const where = metadata.namespace ?? release.namespace;
      const name = `${ADMITS}-${namespace}-${metadata.name}`.slice(0, 253);
      return [`${where}/${name}`, admitting(name, where, field(spec, 'podSelector') ?? {})];
    }),
  );
  // In the namespace of the release, it would restrict pods that no policy of the chart restricts.
  if (namespace !== release.namespace) policies.set(namespace, admitting(ADMITS, namespace, {}));
  for (const policy of policies.values()) {
    const ref = { name: policy.metadata.name, namespace: policy.metadata.namespace ?? '' };
    lab.defer(`delete NetworkPolicy ${ref.name}`, () => lab.kube.teardown.delete(POLICY, ref));
    await lab.kube.apply(policy).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 403)) throw error;
      throw new DoesNotFit(
        `${first.workload.title} has a NetworkPolicy that may deny the requests of the check, and the check may not create one that ` +
          `admits it: ${error.message}`,
      );
    });
  }
  return true;
}
