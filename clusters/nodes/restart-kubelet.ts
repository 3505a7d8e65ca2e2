/** Restarts a node's kubelet and waits until the API has the state of the new process. */
import { z } from 'zod';
import type { Clock } from '../../harness/core/deadline.ts';
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { heartbeatOf, nodeReady } from './system-readiness.ts';

export interface RestartKubelet {
  kube: KubeClient;
  access: NodeAccess;
  node: string;
  /** A shell command to run while the kubelet is stopped. If it fails, the kubelet is still started. */
  whileStopped?: string | undefined;
  clock?: Clock | undefined;
  signal?: AbortSignal | undefined;
}

// One command, so that an interruption of this process cannot leave the kubelet stopped. Prints the node's time, in ms since the epoch, at
// which the old kubelet had stopped. API times are whole seconds: the new kubelet starts in a later second, so that the states of the two
// cannot be confused.
const RESTART = `
systemctl stop kubelet && date +%s%3N
sh -c "$1"; result=$?
sleep 1
systemctl start kubelet && exit $result
`;

const leaseSchema = z.looseObject({ spec: z.looseObject({ renewTime: z.string().optional() }) });

/**
 * Restarts the kubelet and waits until the new process has reported the node as Ready. Containers keep running.
 *
 * For up to 40 s after a kubelet stops, the API still shows its last state as if it were current. So only a newer lease and a newer status
 * count (Kubernetes documentation, "Node heartbeats"). In that status the resource of a device plugin is 0 until the plugin registers
 * again.
 *
 * @throws InfrastructureError `E_KUBELET_RESTART` on timeout; CommandError when systemd cannot restart the kubelet
 */
export async function restartKubelet(options: RestartKubelet): Promise<void> {
  const { kube, access, node, whileStopped = ':', clock, signal } = options;
  const { stdout } = await access.run(node, ['sh', '-c', RESTART, 'restart', whileStopped]);
  const stopped = z.coerce.number().int().positive().parse(stdout.trim().split('\n')[0]);
  try {
    await waitFor({
      what: `the kubelet of ${node} to come back`,
      timeoutMs: 120_000,
      intervalMs: 500,
      ...(clock && { clock }),
      signal,
      look: async () => {
        const [object, renewed] = await Promise.all([kube.get('Node', { name: node }), renewal(kube, node)]);
        if (renewed === undefined || renewed < stopped) {
          return { done: false, seen: 'its lease has not been renewed since' };
        }
        if (object === undefined || !nodeReady(object)) return { done: false, seen: 'the node is not Ready' };
        // It registers before it reports this status. Registering without a checkpoint removes all extended resources from the node.
        if (!(Date.parse(heartbeatOf(object) ?? '') > stopped)) {
          return { done: false, seen: 'its status is still that of the old kubelet' };
        }
        return { done: true, value: undefined };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError('E_KUBELET_RESTART', error.message, {
      cause: error,
      hint: `read its log: docker exec ${node} journalctl -u kubelet`,
    });
  }
}

/** When the node's lease was last renewed, ms since the epoch. */
async function renewal(kube: KubeClient, node: string): Promise<number | undefined> {
  const kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
  const lease = await kube.get(kind, { name: node, namespace: 'kube-node-lease' });
  const time = lease === undefined ? undefined : leaseSchema.parse(lease).spec.renewTime;
  return time === undefined ? undefined : Date.parse(time);
}
