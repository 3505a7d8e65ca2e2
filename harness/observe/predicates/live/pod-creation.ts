/** Who creates the pods of a workload, by the events about it. */
import type { KubeEvent, KubeObject } from '../../../kube/api/types.ts';
import { isOwnedBy } from '../../../kube/api/workload-pods.ts';

/**
 * Whether an event is about what creates the pods of a workload: the workload itself, or a ReplicaSet of a Deployment.
 *
 * @param workload with its namespace; `object` as it is on the cluster
 * @param replicaSets of its namespace: that of another Deployment may begin with the same name
 */
export function isAboutCreation(
  { involvedObject, metadata }: KubeEvent,
  { object, namespace }: { object: KubeObject | undefined; namespace: string },
  replicaSets: readonly KubeObject[],
): boolean {
  if (!object || (metadata.namespace ?? namespace) !== namespace) return false;
  if (involvedObject.kind === object.kind) return involvedObject.name === object.metadata.name;
  return (
    involvedObject.kind === 'ReplicaSet' &&
    replicaSets.some((one) => one.metadata.name === involvedObject.name && isOwnedBy(one, object))
  );
}
