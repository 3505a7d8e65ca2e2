/** `kubectl delete KINDS -l SELECTOR`. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { KindRef, KubeClient } from '../../../harness/kube/api/client.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { SELECTOR } from '../names.ts';

/** The built-in kinds of the category `all`. ConfigMaps and Secrets are not among them. */
export const KINDS_OF_ALL: readonly KindRef[] = [
  'Pod',
  { apiVersion: 'v1', kind: 'ReplicationController' },
  'Service',
  'DaemonSet',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  { apiVersion: 'batch/v1', kind: 'CronJob' },
  'Job',
];

/** `all,configmaps,secrets,networkpolicies,ingresses` (docs/decisions/0020). */
export const EVERYTHING: readonly KindRef[] = [
  ...KINDS_OF_ALL,
  'ConfigMap',
  'Secret',
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
];

/**
 * The label by which the subject is deleted: the documented one; where no object has it, one that all objects have.
 *
 * @throws DoesNotFit when they have none in common
 */
export function cleanUpLabel(objects: readonly KubeObject[]): string {
  const labels = objects.map(({ metadata }) =>
    Object.entries(metadata.labels ?? {}).map((entry) => entry.join('=')),
  );
  const [first = [], ...others] = labels;
  if (labels.some((own) => own.includes(SELECTOR))) return SELECTOR;
  const shared = first.find((label) => others.every((own) => own.includes(label)));
  if (shared !== undefined) return shared;
  throw new DoesNotFit(`no object has the label ${SELECTOR}, and the objects have no label in common`);
}

/** Deletes kind by kind. Objects that controllers create in the meantime are left, as kubectl leaves them. */
export async function deleteLabelled(
  kube: KubeClient,
  namespace: string,
  labelSelector: string,
  kinds: readonly KindRef[],
): Promise<void> {
  for (const kind of kinds) {
    const found = await kube.list(kind, { namespace, labelSelector });
    await Promise.all(found.map(({ metadata }) => kube.delete(kind, { name: metadata.name, namespace })));
  }
}
