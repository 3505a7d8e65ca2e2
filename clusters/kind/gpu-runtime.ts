/** GPUs inside containers: a stand-in for NVIDIA's container runtime on the nodes, for the handler that its RuntimeClass names. */
import { readFile } from 'node:fs/promises';
import type { NodeAccess, Topology } from '../cluster.ts';
import type { PlannedNode } from './planned-nodes.ts';

/** The handler that NVIDIA's toolkit configures, and the RuntimeClass that goes with it. */
export const GPU_RUNTIME_HANDLER = 'nvidia';

/** What containerd runs instead of runc for that handler. */
export const GPU_RUNTIME_BINARY = '/usr/local/bin/nvidia-container-runtime';

const SCRIPT = new URL('./gpu-runtime.sh', import.meta.url);

/** Where the script looks for the node's GPUs: one file each, `nvidia0`, `nvidia1` …, with the GPU's name in it. */
const GPU_FOLDER = '/etc/kindproof/gpus';

/** Whether containers are to see GPUs: the cluster has GPU nodes and a handler that gives their GPUs away. */
export function simulatesGpus(topology: Topology): boolean {
  const hasHandler = (topology.runtimeClasses ?? []).includes(GPU_RUNTIME_HANDLER);
  return hasHandler && topology.groups.some((group) => group.gpus !== undefined);
}

// The script arrives on standard input and takes its place by a rename: a container that starts meanwhile finds a whole one. It is on
// every node, since the handler is. GPUs have the names that the device plugin gives them, so a container that was allocated some
// sees just those.
const INSTALL = `set -eu
node=$1 gpus=$2
command -v jq >/dev/null || { echo 'the node image has no jq, which the stand-in for the NVIDIA runtime needs' >&2; exit 1; }
cat > ${GPU_RUNTIME_BINARY}.new
chmod 0755 ${GPU_RUNTIME_BINARY}.new
mv ${GPU_RUNTIME_BINARY}.new ${GPU_RUNTIME_BINARY}
rm -rf ${GPU_FOLDER}
mkdir -p ${GPU_FOLDER}
i=0
while [ "$i" -lt "$gpus" ]; do
  echo "GPU-$node-$i" > "${GPU_FOLDER}/nvidia$i"
  i=$((i + 1))
done`;

/**
 * Puts the runtime and the list of its GPUs onto every node. Idempotent, and what is there survives a restart of the node; containers that
 * run keep the GPUs that they started with.
 *
 * @throws CommandError when a node does not take it, for one because its image has no jq
 */
export async function installGpuRuntime(access: NodeAccess, nodes: readonly PlannedNode[]): Promise<void> {
  const script = await readFile(SCRIPT);
  await Promise.all(
    nodes.map(({ name, gpus = 0 }) =>
      access.run(name, ['sh', '-c', INSTALL, 'install-gpu-runtime', name, String(gpus)], {
        input: script,
        timeoutMs: 60_000,
      }),
    ),
  );
}

/** Whether containerd of each node runs the stand-in: a cluster from before it was invented has runc under the handler's name. */
export async function usesGpuRuntime(access: NodeAccess, nodes: readonly PlannedNode[]): Promise<boolean> {
  const found = await Promise.all(
    nodes.map(({ name }) =>
      access.run(name, ['grep', '-qF', GPU_RUNTIME_BINARY, '/etc/containerd/config.toml'], {
        timeoutMs: 60_000,
        reject: false,
      }),
    ),
  );
  return found.every(({ exitCode }) => exitCode === 0);
}
