/** Restarts the kubelet of a node, and knows when it is back. */
import { z } from 'zod';
import type { Clock } from '../harness/core/deadline.ts';
import { waitFor, WaitTimeout } from '../harness/core/deadline.ts';
import { InfrastructureError } from '../harness/core/errors.ts';
import type { KubeClient } from '../harness/kube/api/client.ts';
import type { NodeAccess } from './cluster.ts';
import { heartbeatOf, nodeReady } from './system-readiness.ts';

export interface RestartKubelet {
  kube: KubeClient;
  access: NodeAccess;
  node: string;
  /** A shell command that is run while the kubelet is stopped; if it fails, the kubelet is started all the same. */
  meanwhile?: string | undefined;
  clock?: Clock | undefined;
  signal?: AbortSignal | undefined;
  /** Default 120 000 ms. */
  timeoutMs?: number | undefined;
}

// One command, so that an interruption of this process cannot leave the node without its kubelet. Prints the node's time, in ms since the
// epoch, at which the old kubelet was gone. Times of the API are whole seconds: the new one begins in a later second, so that nothing
// that the old one has said can be taken for its words.
const RESTART = `
systemctl stop kubelet && date +%s%3N
sh -c "$1"; result=$?
sleep 1
systemctl start kubelet && exit $result
`;

const leaseSchema = z.looseObject({ spec: z.looseObject({ renewTime: z.string().optional() }) });

/**
 * Restarts the kubelet and waits until the API has it from the new one that the node is Ready. Containers go on meanwhile.
 *
 * For up to 40 s after a kubelet is gone the API shows its last words as if nothing had happened; so only a lease and a status from after
 * that count (Kubernetes documentation, "Node heartbeats"). What a device plugin gives is 0 in that status, until it has registered again.
 *
 * @throws InfrastructureError `E_KUBELET_RESTART` when it does not come back in time; CommandError when it cannot be restarted
 */
export async function restartKubelet(options: RestartKubelet): Promise<void> {
  const { kube, access, node, meanwhile = ':', clock, signal } = options;
  const { stdout } = await access.run(node, ['sh', '-c', RESTART, 'restart', meanwhile]);
  const stopped = z.coerce.number().int().positive().parse(stdout.trim().split('\n')[0]);
  try {
    await waitFor({
      what: `the kubelet of ${node} to come back`,
      timeoutMs: options.timeoutMs ?? 120_000,
      intervalMs: 500,
      ...(clock && { clock }),
      signal,
      look: async () => {
        const [object, renewed] = await Promise.all([kube.get('Node', { name: node }), renewal(kube, node)]);
        if (renewed === undefined || renewed < stopped) {
          return { done: false, seen: 'its lease has not been renewed since' };
        }
        if (object === undefined || !nodeReady(object)) return { done: false, seen: 'the node is not Ready' };
        // It registers before it says that: with its checkpoint gone, it takes all extended resources from the node when it does.
        if (!(Date.parse(heartbeatOf(object) ?? '') > stopped)) {
          return { done: false, seen: 'its status is still of the old kubelet' };
        }
        return { done: true, value: undefined };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError('E_KUBELET_RESTART', error.message, {
      cause: error,
      hint: `look at its log: docker exec ${node} journalctl -u kubelet`,
    });
  }
}

/** When the node's lease was renewed last, ms since the epoch. */
async function renewal(kube: KubeClient, node: string): Promise<number | undefined> {
  const kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
  const lease = await kube.get(kind, { name: node, namespace: 'kube-node-lease' });
  const time = lease === undefined ? undefined : leaseSchema.parse(lease).spec.renewTime;
  return time === undefined ? undefined : Date.parse(time);
}
