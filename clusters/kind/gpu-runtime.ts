/** Installs the stand-in for NVIDIA's container runtime, which gives containers simulated GPUs, on the nodes. */
import { readFile } from 'node:fs/promises';
import type { NodeAccess, Topology } from '../../harness/kube/cluster/cluster.ts';
import type { PlannedNode } from './planned-nodes.ts';

/** The handler and the RuntimeClass that NVIDIA's toolkit configures. */
export const GPU_RUNTIME_HANDLER = 'nvidia';

/** The program that containerd runs instead of runc for that handler. */
export const GPU_RUNTIME_BINARY = '/usr/local/bin/nvidia-container-runtime';

const SCRIPT = new URL('./gpu-runtime.sh', import.meta.url);

/** Where the script finds the node's GPUs: files `nvidia0`, `nvidia1`, …, which contain the GPU's name. */
const GPU_FOLDER = '/etc/kindproof/gpus';

/** Whether containers get simulated GPUs: the topology has GPU nodes and the GPU handler. */
export function simulatesGpus(topology: Topology): boolean {
  const hasHandler = (topology.runtimeClasses ?? []).includes(GPU_RUNTIME_HANDLER);
  return hasHandler && topology.groups.some((group) => group.gpus !== undefined);
}

// Reads the script from standard input and renames it into place, so that a container that starts meanwhile never runs a partial file.
// Installed on every node, because every node has the handler. The GPU names are those of the device plugin, so that a container gets
// exactly the GPUs allocated to it.
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
 * Installs the runtime and the list of its GPUs on every node. Idempotent; survives a restart of the node. Running containers keep their
 * GPUs.
 *
 * @throws CommandError when a node rejects it, e.g. because its image has no jq
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

/** Whether containerd on every node uses the stand-in: on clusters of older versions, the handler is plain runc. */
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
