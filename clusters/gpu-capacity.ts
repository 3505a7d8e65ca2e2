/**
 * `nvidia.com/gpu` on nodes that have no GPU: written into the node's status, as a device plugin's kubelet would. Pods that ask for it are
 * scheduled and run; nothing is allocated to them (docs/decisions/0015-gpus-without-gpus.md).
 */
import type { Clock } from '../harness/core/deadline.ts';
import { waitFor, WaitTimeout } from '../harness/core/deadline.ts';
import { InfrastructureError } from '../harness/core/errors.ts';
import type { KubeClient } from '../harness/kube/api/client.ts';
import type { Node } from '../harness/kube/api/types.ts';
import type { GpuSource } from './cluster.ts';
import { GPU_SOURCE_ANNOTATION, gpuSourceOf } from './gpu-source.ts';

export const GPU_RESOURCE = 'nvidia.com/gpu';
const SOURCE: GpuSource = 'status-patch';

export interface GpuNode {
  name: string;
  gpus: number;
}

/**
 * Makes every node advertise its number of GPUs, and waits until the scheduler can hand them out.
 *
 * Idempotent: nodes that already do are left alone. The kubelet of 1.36 keeps a capacity that it knows nothing of, also when it or its
 * node restarts; a node that registers anew has lost it, and other releases may. So checks that rely on GPUs call this first.
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
          await kube.patch('Node', { name }, capacityPatch(gpus, node), { subresource: 'status' });
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

// Both are written: the kubelet derives allocatable from capacity, but only with its next status update, up to 10 s later. The note of
// their origin comes with them, so that there is no capacity without one.
function capacityPatch(gpus: number, node: Node): Record<string, unknown> {
  const count = { [GPU_RESOURCE]: String(gpus) };
  const source = gpuSourceOf(node) === 'device-plugin' ? {} : { [GPU_SOURCE_ANNOTATION]: SOURCE };
  return { metadata: { annotations: source }, status: { capacity: count, allocatable: count } };
}

function advertises(node: Node | undefined, gpus: number): boolean {
  const { capacity, allocatable } = node?.status ?? {};
  return (
    capacity?.[GPU_RESOURCE] === String(gpus) &&
    allocatable?.[GPU_RESOURCE] === String(gpus) &&
    gpuSourceOf(node) !== 'real'
  );
}

function describeWrong({ name, gpus }: GpuNode, node: Node | undefined): string {
  if (node === undefined) return `${name} is not registered`;
  const { capacity, allocatable } = node.status ?? {};
  const is = (value: string | undefined) => value ?? 'none';
  return `${name}: planned ${gpus}, capacity ${is(capacity?.[GPU_RESOURCE])}, allocatable ${is(allocatable?.[GPU_RESOURCE])}`;
}
