/** The objects of a namespace that a platform may have created. */
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';

/** What the life of a server may consist of. */
const KINDS = [
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['v1', 'Service'],
  ['v1', 'ServiceAccount'],
  ['v1', 'PersistentVolumeClaim'],
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['batch/v1', 'Job'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
] as const;

/** With their kinds; without what Kubernetes itself puts into every namespace. Some may belong to a custom resource. */
export async function createdObjects(
  kube: Pick<KubeClient, 'list'>,
  namespace: string,
): Promise<KubeObject[]> {
  const lists = await Promise.all(
    KINDS.map(async ([apiVersion, kind]): Promise<KubeObject[]> => {
      const objects = await kube.list({ apiVersion, kind }, { namespace });
      return objects.map((object) => ({ ...object, apiVersion, kind }));
    }),
  );
  return lists
    .flat()
    .filter(({ kind, metadata: { name } }) => !(kind === 'ConfigMap' && name === 'kube-root-ca.crt'))
    .filter(({ kind, metadata: { name } }) => !(kind === 'ServiceAccount' && name === 'default'));
}
