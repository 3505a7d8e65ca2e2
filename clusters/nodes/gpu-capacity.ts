/**
 * Simulated `nvidia.com/gpu` capacity, patched into the status of nodes without GPUs. Pods that request it are scheduled and run, but
 * no device is allocated to them (docs/decisions/0015-gpus-without-gpus.md).
 */
import type { Clock } from '../../harness/core/deadline.ts';
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Node } from '../../harness/kube/api/types.ts';
import type { GpuSource } from '../../harness/kube/cluster/cluster.ts';

export const GPU_RESOURCE = 'nvidia.com/gpu';

/** Records on a node where its GPU capacity comes from. */
export const GPU_SOURCE_ANNOTATION = 'kindproof.dev/gpu-source';

const SOURCE: GpuSource = 'status-patch';

export interface GpuNode {
  name: string;
  gpus: number;
}

/** `real` without the annotation: simulated capacity is always written together with it. */
export function gpuSourceOf(node: Node | undefined): GpuSource {
  const source = node?.metadata.annotations?.[GPU_SOURCE_ANNOTATION];
  return source === 'status-patch' || source === 'device-plugin' ? source : 'real';
}

/**
 * Makes every node advertise its number of GPUs, and waits until they are allocatable.
 *
 * Idempotent: correct nodes are not patched. The kubelet of 1.36 keeps patched capacity across restarts of itself and its node, but a
 * node that registers again loses it, and other releases may drop it. So checks that rely on GPUs call this first.
 *
 * @returns names of the patched nodes
 * @throws InfrastructureError `E_GPU_CAPACITY` with each node's actual capacity and allocatable
 */
export async function ensureGpuCapacity(
  kube: KubeClient,
  nodes: readonly GpuNode[],
  options: { clock?: Clock | undefined; signal?: AbortSignal | undefined } = {},
): Promise<string[]> {
  if (nodes.length === 0) return [];
  const patched = new Set<string>();
  try {
    await waitFor({
      what: `${nodes.length} GPU nodes to advertise ${GPU_RESOURCE}`,
      timeoutMs: 60_000,
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
        hint: 'inspect the nodes: kubectl describe node; their kubelets must be running',
        details: { history: error.history },
      },
    );
  }
  return [...patched];
}

// Patches both: the kubelet derives allocatable from capacity only in its next status update, up to 10 s later. The same patch sets the
// annotation, so that simulated capacity never lacks it.
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
