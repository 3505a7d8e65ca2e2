/** `nvidia.com/gpu` on nodes that have no GPU: written into the node's status, as a device plugin's kubelet would. */
import type { Clock } from '../harness/core/deadline.ts';
import { waitFor, WaitTimeout } from '../harness/core/deadline.ts';
import { InfrastructureError } from '../harness/core/errors.ts';
import type { KubeClient } from '../harness/kube/client.ts';
import type { Node } from '../harness/kube/types.ts';

export const GPU_RESOURCE = 'nvidia.com/gpu';
const POINTER = 'nvidia.com~1gpu';

export interface GpuNode {
  name: string;
  gpus: number;
}

/**
 * Makes every node advertise its number of GPUs, and waits until the scheduler can hand them out.
 *
 * Idempotent: nodes that already do are left alone. Needed again after a node's container restarted, because the kubelet then reports
 * only what it knows itself; so checks that rely on GPUs call this first.
 *
 * @returns names of the nodes that had to be patched
 * @throws InfrastructureError `E_GPU_CAPACITY` with each node's actual capacity and allocatable
 */
export async function ensureGpuCapacity(
  kube: KubeClient,
  nodes: readonly GpuNode[],
  options: { clock?: Clock | undefined; signal?: AbortSignal | undefined; timeoutMs?: number } = {},
): Promise<string[]> {
  if (nodes.length === 0) return [];
  const patched = new Set<string>();
  try {
    await waitFor({
      what: `${nodes.length} GPU nodes to advertise ${GPU_RESOURCE}`,
      timeoutMs: options.timeoutMs ?? 60_000,
      ...(options.clock && { clock: options.clock }),
      signal: options.signal,
      look: async () => {
        const actual = new Map((await kube.list('Node')).map((node) => [node.metadata.name, node]));
        const wrong = nodes.filter(({ name, gpus }) => !advertises(actual.get(name), gpus));
        for (const { name, gpus } of wrong) {
          const node = actual.get(name);
          if (node === undefined) continue;
          patched.add(name);
          await kube.patch('Node', { name }, capacityPatch(gpus), { subresource: 'status' });
        }
        if (wrong.length === 0) return { done: true, value: undefined };
        return {
          done: false,
          seen: wrong.map((node) => describeWrong(node, actual.get(node.name))).join('; '),
        };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError(
      'E_GPU_CAPACITY',
      `GPU capacity is not as planned: ${error.history.at(-1)?.seen ?? ''}`,
      {
        hint: 'look at the nodes: kubectl describe node; their kubelets must be running',
        details: { history: error.history },
      },
    );
  }
  return [...patched];
}

// Both are written: the kubelet derives allocatable from capacity, but only with its next status update, up to 10 s later.
function capacityPatch(gpus: number): object[] {
  return ['capacity', 'allocatable'].map((field) => ({
    op: 'add',
    path: `/status/${field}/${POINTER}`,
    value: String(gpus),
  }));
}

function advertises(node: Node | undefined, gpus: number): boolean {
  const { capacity, allocatable } = node?.status ?? {};
  return capacity?.[GPU_RESOURCE] === String(gpus) && allocatable?.[GPU_RESOURCE] === String(gpus);
}

function describeWrong({ name, gpus }: GpuNode, node: Node | undefined): string {
  if (node === undefined) return `${name} is not registered`;
  const { capacity, allocatable } = node.status ?? {};
  const is = (value: string | undefined) => value ?? 'none';
  return `${name}: planned ${gpus}, capacity ${is(capacity?.[GPU_RESOURCE])}, allocatable ${is(allocatable?.[GPU_RESOURCE])}`;
}
