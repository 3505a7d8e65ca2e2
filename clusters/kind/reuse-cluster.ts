/** Checks whether an existing kind cluster still fits, and repairs it. */
import { chmod, writeFile } from 'node:fs/promises';
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { InfrastructureError, InterruptedError, messageOf, UsageError } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Topology } from '../../harness/kube/cluster/cluster.ts';
import { fullNameOf } from '../../harness/kube/manifests/objects.ts';
import { removeRunObjects } from '../cleanup/run-objects.ts';
import { forgetDevicePlugins } from '../nodes/device-plugin-state.ts';
import { ensureGpuCapacity } from '../nodes/gpu-capacity.ts';
import { waitForSystem } from '../nodes/system-readiness.ts';
import { describeTopology, mergeTopologies } from '../topology.ts';
import { readOrigin, sameTopology } from './cluster-origin.ts';
import { prepareKubeconfig } from './create-cluster.ts';
import { startTimes, waitForFreshStates } from './fresh-states.ts';
import { installGpuRuntime, simulatesGpus, usesGpuRuntime } from './gpu-runtime.ts';
import { SHARED_STORAGE_PATH } from './kind-config.ts';
import type { NodeContainer } from './node-containers.ts';
import { dockerNodeAccess } from './node-containers.ts';
import { gpuNodes, plannedNodes } from './planned-nodes.ts';
import { repairNodes } from './repair.ts';
import { ensureRuntimeClasses } from './runtime-classes.ts';
import { ensureStorageClasses } from './storage-classes.ts';

export interface ReuseInput {
  name: string;
  topology: Topology;
  nodeImageDigest: string;
  containers: readonly NodeContainer[];
  connect: () => Promise<KubeClient>;
  run: CommandRunner;
  clock: Clock;
  signal?: AbortSignal | undefined;
  onProgress: (text: string) => void;
}

export type ReuseResult =
  | {
      reused: true;
      kube: KubeClient;
      /** The topology that the cluster was created with. It can have more nodes than required. */
      topology: Topology;
      /** One sentence for each repair. */
      repairs: string[];
    }
  | { reused: false; reason: string };

/** Writes the kubeconfig of a running cluster, readable only by its owner. */
export async function exportKubeconfig(
  run: CommandRunner,
  kindPath: string,
  options: { name: string; kubeconfig: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const { name, kubeconfig, signal } = options;
  const { stdout } = await run.run(kindPath, ['get', 'kubeconfig', '--name', name], {
    signal,
    env: { KUBECONFIG: kubeconfig },
    hint: 'the control plane may be missing: create the cluster again, without --reuse',
  });
  await prepareKubeconfig(kubeconfig);
  await writeFile(kubeconfig, stdout, { mode: 0o600 });
  await chmod(kubeconfig, 0o600);
}

/**
 * Verifies that a cluster fits: its nodes run, the API answers, it has the nodes of the topology and the same node image, and its system
 * pods are ready. Repairs what is cheap to repair: what earlier runs left, labels, taints, cordons, GPU capacity, RuntimeClasses,
 * storage classes. No other run may be using the cluster.
 */
export async function verifyForReuse(input: ReuseInput): Promise<ReuseResult> {
  const stopped = input.containers.filter((container) => container.state !== 'running');
  if (stopped.length > 0) {
    // Restarted nodes get other addresses, which etcd and the certificates do not accept (kubernetes-sigs/kind#2045).
    return no(`its node ${stopped.map((c) => `${c.name} is ${c.state}`).join(', ')}`);
  }
  let kube: KubeClient;
  try {
    kube = await input.connect();
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return no(`it is not accessible: ${messageOf(error)}`);
  }
  const result = await verify(kube, input).catch((error: unknown) => {
    if (error instanceof InterruptedError || !(error instanceof InfrastructureError)) throw error;
    return no(`it no longer works: ${messageOf(error)}`);
  });
  if (!result.reused) await kube.close();
  return result;
}

async function verify(kube: KubeClient, input: ReuseInput): Promise<ReuseResult> {
  const { name, topology, containers, run, clock, signal, onProgress } = input;
  const access = dockerNodeAccess(run, signal);
  const origin = await readOrigin(kube, name);
  if (origin === undefined) return no('its origin is unknown');
  if (!serves(origin.topology, topology)) return no(`it has ${describeTopology(origin.topology)}`);
  if (origin.nodeImage !== input.nodeImageDigest) return no('it has another node image');
  // Left by a killed run, or by --keep. Before anything is written: a webhook whose pods are gone can refuse every request.
  const { deleted, left } = await removeRunObjects(kube);
  const [stuck] = left;
  if (stuck) return no(`${fullNameOf(stuck.object)} of run ${stuck.run} cannot be removed: ${stuck.why}`);
  const planned = plannedNodes(name, origin.topology);
  const names = containers.map((container) => container.name);
  const missing = planned.filter((node) => !names.includes(node.name));
  if (missing.length > 0) return no(`its node ${missing.map((node) => node.name).join(', ')} is missing`);
  await waitForFreshStates({ kube, clock, signal }, await startTimes(run, names));
  if (simulatesGpus(topology)) {
    if (!(await usesGpuRuntime(access, planned))) return no('its runtime handler gives containers no GPUs');
    // The installed script may be of an older version of kindproof.
    await installGpuRuntime(access, planned);
  }
  const repairs = await repairNodes(kube, planned);
  // Before the capacity: while a kubelet remembers the device plugin of an interrupted run, it overwrites patched capacity.
  const reset = await forgetDevicePlugins({ kube, access, clock, signal });
  const gpus = await ensureGpuCapacity(kube, gpuNodes(planned), { clock, signal });
  const classes = await ensureRuntimeClasses(kube, origin.topology);
  // Those of this run, not of the one that created the cluster. Before the wait: it may start the provisioner again.
  const storage = await ensureStorageClasses(kube, topology, onProgress);
  await waitForSystem(kube, planned.length, {
    timeoutMs: 60_000,
    namespaces: origin.systemNamespaces,
    clock,
    signal,
    onProgress,
  });
  return {
    reused: true,
    kube,
    topology: origin.topology,
    repairs: [
      ...deleted.map(({ object, run }) => `${fullNameOf(object)} of run ${run} removed`),
      ...repairs,
      ...reset.map((node) => `device plugin removed from ${node}`),
      ...gpus.map((node) => `GPU capacity of ${node} restored`),
      ...classes.map((name) => `RuntimeClass ${name} restored`),
      ...storage,
    ],
  };
}

/** Whether kindproof created the cluster: only then may a run replace it. Also works if the API server is down. */
export async function isOwnCluster(
  run: CommandRunner,
  containers: readonly NodeContainer[],
): Promise<boolean> {
  const [first] = containers;
  if (first === undefined) return false;
  const format = '{{range .Mounts}}{{println .Destination}}{{end}}';
  const { stdout } = await run.run('docker', ['inspect', '--format', format, first.name], { reject: false });
  return stdout.split('\n').includes(SHARED_STORAGE_PATH);
}

/** Whether a cluster has everything that is required. Additional nodes are allowed. */
function serves(existing: Topology, required: Topology): boolean {
  try {
    return sameTopology(mergeTopologies([existing, required]), existing);
  } catch (error) {
    // One cluster cannot satisfy both.
    if (error instanceof UsageError) return false;
    throw error;
  }
}

function no(reason: string): ReuseResult {
  return { reused: false, reason };
}
