/**
 * The runtime handler that a pod actually runs under. The RuntimeClass states the requested one; the node's runtime records the used one.
 */
import { z } from 'zod';
import { CheckFailure, InfrastructureError } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';

const record = z.looseObject({
  Extensions: z.record(z.string(), z.looseObject({ value: z.string() })).nullish(),
});
const containerMetadata = z.looseObject({ Metadata: z.looseObject({ SandboxID: z.string().min(1) }) });
const sandboxMetadata = z.looseObject({ Metadata: z.looseObject({ RuntimeHandler: z.string() }) });

/**
 * The handler with which containerd created the sandbox of a running pod; `''` is containerd's default.
 *
 * Read with `ctr`, which is part of containerd, from the metadata that the CRI plugin stores with each container (containerd,
 * internal/cri/store/sandbox/metadata.go). `crictl inspectp` shows the same, but not every node image has crictl.
 *
 * @throws CheckFailure `E_NO_NODE_ACCESS`, `E_NOT_RUNNING`
 * @throws InfrastructureError `E_RUNTIME_RECORD` when the node's runtime stores no such metadata (it is not containerd)
 */
export async function runtimeHandlerOf(access: NodeAccess | undefined, pod: Pod): Promise<string> {
  if (!access) throw new CheckFailure('E_NO_NODE_ACCESS', 'this cluster gives no access to its nodes');
  const node = pod.spec.nodeName;
  // Starts at the container: after a node restart a pod has two sandboxes, one of them ended.
  const running = pod.status?.containerStatuses?.find((status) => status.state?.running !== undefined);
  const [, id] = running?.containerID?.split('//') ?? [];
  if (node === undefined || id === undefined) {
    throw new CheckFailure('E_NOT_RUNNING', `no container of pod ${pod.metadata.name} is running`);
  }
  const container = containerMetadata.parse(await metadata(access, node, id, 'container'));
  const sandbox = await metadata(access, node, container.Metadata.SandboxID, 'sandbox');
  return sandboxMetadata.parse(sandbox).Metadata.RuntimeHandler;
}

async function metadata(
  access: NodeAccess,
  node: string,
  id: string,
  kind: 'container' | 'sandbox',
): Promise<unknown> {
  const { stdout } = await access.run(node, ['ctr', '--namespace', 'k8s.io', 'containers', 'info', id]);
  const found = record.parse(JSON.parse(stdout)).Extensions?.[`io.cri-containerd.${kind}.metadata`];
  if (found === undefined) {
    throw new InfrastructureError(
      'E_RUNTIME_RECORD',
      `containerd on ${node} has no metadata of ${kind} ${id}`,
      { hint: 'reading runtime handlers needs containerd 1.7 or later' },
    );
  }
  return JSON.parse(Buffer.from(found.value, 'base64').toString('utf8')) as unknown;
}
