import { CheckFailure } from '../harness/core/errors.ts';
import type { Pod } from '../harness/kube/api/types.ts';
import type { NodeAccess } from './cluster.ts';
import { findContainerCgroup, type ContainerCgroup } from './node-cgroup.ts';

/**
 * The cgroup of a pod's container, on the node that the pod runs on.
 *
 * @throws CheckFailure `E_NOT_RUNNING` when the container has no id yet, or the pod no node
 */
export function cgroupOf(
  access: NodeAccess | undefined,
  pod: Pod,
  container: string,
): Promise<ContainerCgroup> {
  if (!access) throw new CheckFailure('E_NO_NODE_ACCESS', 'this cluster gives no access to its nodes');
  const id = pod.status?.containerStatuses?.find((s) => s.name === container)?.containerID;
  const node = pod.spec.nodeName;
  if (id === undefined || node === undefined) {
    throw new CheckFailure(
      'E_NOT_RUNNING',
      `container ${container} of pod ${pod.metadata.name} is not running`,
    );
  }
  return findContainerCgroup(access, node, id);
}
