/** `kubectl delete KINDS -l SELECTOR`. */
import type { KindRef, KubeClient } from '../../../harness/kube/api/client.ts';

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
