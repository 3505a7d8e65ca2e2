/** The pods of an object by ownerReferences alone: two workloads may share their labels, and test pods often carry those of a workload. */
import type { KubeObject, Pod } from './types.ts';
import { isOwnedBy } from './workload-pods.ts';

/** The objects of a namespace that own pods or are owned. */
export interface OwnerTree {
  pods: readonly Pod[];
  /** Between a Deployment and its pods. */
  replicaSets: readonly KubeObject[];
  /** Between a CronJob and its pods. */
  jobs: readonly KubeObject[];
}

/** Pods that belong to the object, directly or through a ReplicaSet or Job; a Pod belongs to itself. Includes terminating pods. */
export function ownedPods(owner: KubeObject, { pods, replicaSets, jobs }: OwnerTree): Pod[] {
  if (owner.kind === 'Pod') return pods.filter(({ metadata }) => metadata.uid === owner.metadata.uid);
  const between = [...replicaSets, ...jobs].filter((object) => isOwnedBy(object, owner));
  return pods.filter((pod) => [owner, ...between].some((one) => isOwnedBy(pod, one)));
}
