/** The pods of a workload. */
import { CheckFailure } from '../../core/errors.ts';
import type { KubeClient } from './client.ts';
import { matchesSelector, selectorText } from './selectors.ts';
import type { KubeObject, Pod, Workload } from './types.ts';

/** Identifies a workload. */
export interface WorkloadRef {
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'ReplicaSet';
  name: string;
  namespace: string;
}

/**
 * The current pods of a workload: matched by its selector **and** owned by it (for a Deployment, through its ReplicaSets). Excludes
 * pods that are terminating, failed or evicted.
 *
 * @throws CheckFailure E_SELECTED_NOTHING when there are none: every assertion about an empty list holds
 */
export async function podsOf(kube: KubeClient, workload: Workload): Promise<Pod[]> {
  const namespace = workload.metadata.namespace;
  const [pods, replicaSets] = await Promise.all([
    kube.list('Pod', { namespace }),
    workload.kind === 'Deployment' ? kube.list('ReplicaSet', { namespace }) : Promise.resolve([]),
  ]);
  const own = ownPods(workload, pods, replicaSets).filter((p) => isCurrent(p, workload.kind));
  if (own.length > 0) return own;
  throw new CheckFailure(
    'E_SELECTED_NOTHING',
    `${workload.kind} ${workload.metadata.name} has no pods (selector ${selectorText(workload.spec.selector)} in namespace ${namespace ?? 'default'})`,
    { hint: 'Check whether it has 0 replicas, or whether the API server rejects its pods.' },
  );
}

/** All pods of the workload, terminating ones included. */
export function ownPods(workload: Workload, pods: readonly Pod[], replicaSets: readonly Workload[]): Pod[] {
  const owners = new Set(
    workload.kind === 'Deployment'
      ? replicaSets.filter((rs) => isOwnedBy(rs, workload)).map((rs) => rs.metadata.uid)
      : [workload.metadata.uid],
  );
  return pods.filter(
    (pod) =>
      matchesSelector(workload.spec.selector, pod.metadata.labels) &&
      (pod.metadata.ownerReferences ?? []).some((o) => o.controller !== false && owners.has(o.uid)),
  );
}

function isCurrent(pod: Pod, kind: string): boolean {
  if (kind === 'Job') return true;
  return (
    pod.metadata.deletionTimestamp === undefined &&
    pod.status?.phase !== 'Failed' &&
    pod.status?.phase !== 'Succeeded'
  );
}

/** Whether an object has an owner reference to another one. */
export function isOwnedBy(child: KubeObject, owner: KubeObject): boolean {
  return (child.metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.metadata.uid);
}

/** The revision that the Deployment controller has given to a ReplicaSet; the newest has the highest. */
export function revisionOf({ metadata }: Workload): number {
  return Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
}
