/** Takes a kind cluster that an earlier run left, if it is still what is asked for. */
import { chmod, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { InfrastructureError, InterruptedError, messageOf, UsageError } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Topology } from '../cluster.ts';
import { forgetDevicePlugins } from '../device-plugin-state.ts';
import { ensureGpuCapacity } from '../gpu-capacity.ts';
import { deleteRunNamespaces } from '../run-namespaces.ts';
import { waitForSystem } from '../system-readiness.ts';
import { describeTopology, mergeTopologies } from '../topology.ts';
import { prepareKubeconfig } from './create-cluster.ts';
import { readOrigin, sameTopology } from './fingerprint.ts';
import { startTimes, waitForFreshStates } from './fresh-states.ts';
import { installGpuRuntime, simulatesGpus, usesGpuRuntime } from './gpu-runtime.ts';
import { SHARED_STORAGE_PATH } from './kind-config.ts';
import type { NodeContainer } from './node-containers.ts';
import { dockerNodeAccess } from './node-containers.ts';
import { gpuNodes, plannedNodes } from './planned-nodes.ts';
import { repairNodes } from './repair.ts';
import { ensureRuntimeClasses } from './runtime-classes.ts';

export interface ReuseInput {
  name: string;
  topology: Topology;
  nodeImageDigest: string;
  containers: readonly NodeContainer[];
  kube: KubeClient;
  run: CommandRunner;
  clock: Clock;
  signal?: AbortSignal | undefined;
  onProgress: (text: string) => void;
}

export type ReuseResult =
  { reused: true; topology: Topology; repairs: string[] } | { reused: false; reason: string };

/** Writes the kubeconfig of a running cluster, with access for its owner only. */
export async function exportKubeconfig(
  run: CommandRunner,
  kindPath: string,
  options: { name: string; kubeconfig: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const { name, kubeconfig, signal } = options;
  const { stdout } = await run.run(kindPath, ['get', 'kubeconfig', '--name', name], {
    signal,
    env: { KUBECONFIG: kubeconfig },
    hint: 'the control plane of the cluster may be gone: create the cluster anew, without --reuse',
  });
  await prepareKubeconfig(kubeconfig);
  await writeFile(kubeconfig, stdout, { mode: 0o600 });
  await chmod(kubeconfig, 0o600);
}

/**
 * Verifies that a cluster is what is asked for (nodes run, the API answers, all nodes of the topology, same node image, system pods ready), and puts
 * right what is cheap to: namespaces of earlier runs, labels, taints, cordons and GPU capacity. No other run may be using the cluster.
 */
export async function verifyForReuse(input: ReuseInput): Promise<ReuseResult> {
  const { name, topology, containers, kube, run, clock, signal, onProgress } = input;
  const stopped = containers.filter((container) => container.state !== 'running');
  if (stopped.length > 0) {
    // Restarted nodes get other addresses, which etcd and certificates do not know (kubernetes-sigs/kind#2045).
    return no(`its node ${stopped.map((c) => `${c.name} is ${c.state}`).join(', ')}`);
  }
  try {
    const origin = await readOrigin(kube, `${name}-control-plane`);
    if (origin === undefined) return no('it does not say what it was made of');
    if (!serves(origin.topology, topology)) return no(`it is ${describeTopology(origin.topology)}`);
    if (origin.nodeImage !== input.nodeImageDigest) return no('it was made of another node image');
    const planned = plannedNodes(name, origin.topology);
    const names = new Set(containers.map((container) => container.name));
    const gone = planned.filter((node) => !names.has(node.name));
    if (gone.length > 0) return no(`its node ${gone.map((node) => node.name).join(', ')} is gone`);
    const running = containers.map((container) => container.name);
    await waitForFreshStates(input, await startTimes(run, running));
    if (simulatesGpus(topology)) {
      const access = dockerNodeAccess(run, signal);
      if (!(await usesGpuRuntime(access, planned))) return no('its runtime handler gives containers no GPUs');
      // The script may be of an older version of this tool.
      await installGpuRuntime(access, planned);
    }
    // Of a run that was ended hard, or with --keep: the machine is small, and their names may be taken.
    const namespaces = await deleteRunNamespaces(kube);
    const repairs = await repairNodes(kube, planned);
    // Of a run that was interrupted: as long as a kubelet remembers its plugin, no other capacity stays.
    const forgotten = await forgetDevicePlugins({
      kube,
      access: dockerNodeAccess(run, signal),
      clock,
      signal,
    });
    const gpus = await ensureGpuCapacity(kube, gpuNodes(planned), { clock, signal });
    const classes = await ensureRuntimeClasses(kube, origin.topology);
    await waitForSystem(kube, planned.length, {
      timeoutMs: 60_000,
      namespaces: origin.systemNamespaces,
      clock,
      signal,
      onProgress,
    });
    return {
      reused: true,
      topology: origin.topology,
      repairs: [
        ...namespaces.map((namespace) => `namespace ${namespace} of an earlier run deleted`),
        ...repairs,
        ...forgotten.map((node) => `device plugin taken from ${node}`),
        ...gpus.map((node) => `GPU capacity of ${node} put back`),
        ...classes.map((name) => `RuntimeClass ${name} put back`),
      ],
    };
  } catch (error) {
    if (error instanceof InterruptedError || !(error instanceof InfrastructureError)) throw error;
    return no(`it does not work any more: ${messageOf(error)}`);
  }
}

/** Whether a cluster was made by this tool: only then may a run replace it. Works on clusters whose API server is dead. */
export async function isOwnCluster(
  run: CommandRunner,
  containers: readonly NodeContainer[],
): Promise<boolean> {
  const [first] = containers;
  if (first === undefined) return false;
  const format = '{{range .Mounts}}{{println .Destination}}{{end}}';
  const { stdout } = await run.run('docker', ['inspect', '--format', format, first.name], { reject: false });
  return z.string().parse(stdout).split('\n').includes(SHARED_STORAGE_PATH);
}

/** Whether a cluster has all that is asked for; nodes that it has beside that do no harm. */
function serves(existing: Topology, wanted: Topology): boolean {
  try {
    return sameTopology(mergeTopologies([existing, wanted]), existing);
  } catch (error) {
    // Both cannot be had in one cluster.
    if (error instanceof UsageError) return false;
    throw error;
  }
}

function no(reason: string): ReuseResult {
  return { reused: false, reason };
}
