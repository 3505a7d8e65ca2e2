/** Takes a kind cluster that an earlier run left, if it is still what is asked for. */
import { chmod, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError, InterruptedError, messageOf } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/client.ts';
import type { Node, Pod } from '../../harness/kube/types.ts';
import type { Topology } from '../cluster.ts';
import { ensureGpuCapacity } from '../gpu-capacity.ts';
import { waitForSystem } from '../system-readiness.ts';
import { describeTopology } from '../topology.ts';
import { prepareKubeconfig } from './create-cluster.ts';
import { readOrigin, sameTopology } from './fingerprint.ts';
import { SHARED_STORAGE_PATH } from './kind-config.ts';
import type { NodeContainer } from './node-containers.ts';
import { plannedNodes } from './planned-nodes.ts';
import { repairNodes } from './repair.ts';
import { gpuNodes } from './running-cluster.ts';

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

export type ReuseResult = { reused: true; repairs: string[] } | { reused: false; reason: string };

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
 * Verifies that a cluster is what is asked for (nodes run, the API answers, same topology and node image, system pods ready), and puts
 * right what is cheap to: labels, taints, cordons and GPU capacity.
 */
export async function verifyForReuse(input: ReuseInput): Promise<ReuseResult> {
  const { name, topology, containers, kube, run, clock, signal, onProgress } = input;
  const planned = plannedNodes(name, topology);
  const stopped = containers.filter((container) => container.state !== 'running');
  if (stopped.length > 0) {
    // Restarted nodes get other addresses, which etcd and certificates do not know (kubernetes-sigs/kind#2045).
    return no(`its node ${stopped.map((c) => `${c.name} is ${c.state}`).join(', ')}`);
  }
  try {
    const origin = await readOrigin(kube, `${name}-control-plane`);
    if (origin === undefined) return no('it does not say what it was made of');
    if (!sameTopology(origin.topology, topology)) return no(`it is ${describeTopology(origin.topology)}`);
    if (origin.nodeImage !== input.nodeImageDigest) return no('it was made of another node image');
    const names = new Set(containers.map((container) => container.name));
    const gone = planned.filter((node) => !names.has(node.name));
    if (gone.length > 0) return no(`its node ${gone.map((node) => node.name).join(', ')} is gone`);
    await waitForFreshStates(input, await startTimes(run, containers));
    const repairs = await repairNodes(kube, planned);
    const gpus = await ensureGpuCapacity(kube, gpuNodes(planned), { clock, signal });
    await waitForSystem(kube, planned.length, {
      timeoutMs: 60_000,
      namespaces: origin.systemNamespaces,
      clock,
      signal,
      onProgress,
    });
    return { reused: true, repairs: [...repairs, ...gpus.map((node) => `GPU capacity of ${node} put back`)] };
  } catch (error) {
    if (error instanceof InterruptedError || !(error instanceof InfrastructureError)) throw error;
    return no(`it does not work any more: ${messageOf(error)}`);
  }
}

/** When each node's container was started last, ms since the epoch. */
async function startTimes(
  run: CommandRunner,
  containers: readonly NodeContainer[],
): Promise<Map<string, number>> {
  const names = containers.map((container) => container.name);
  const { stdout } = await run.run('docker', [
    'inspect',
    '--format',
    '{{.Name}} {{.State.StartedAt}}',
    ...names,
  ]);
  const rows = stdout.split('\n').filter((row) => row !== '');
  return new Map(
    rows.map((row) => {
      const [name = '', startedAt = ''] = row.split(' ');
      return [name.replace(/^\//, ''), z.coerce.date().parse(startedAt).getTime()] as const;
    }),
  );
}

/**
 * For 40 s after a node's restart the API tells its old state as if nothing had happened: only what its kubelet said since counts, and no
 * container can have been running since before its node was.
 */
async function waitForFreshStates(
  { kube, clock, signal }: ReuseInput,
  started: ReadonlyMap<string, number>,
): Promise<void> {
  // Times of the API are whole seconds.
  const isStale = (time: string | undefined, node: string | undefined) =>
    Date.parse(time ?? '') + 1000 <= (started.get(node ?? '') ?? 0);
  try {
    await waitFor({
      what: 'fresh states of restarted nodes',
      timeoutMs: 60_000,
      intervalMs: 500,
      clock,
      signal,
      look: async () => {
        const [nodes, pods] = await Promise.all([kube.list('Node'), kube.list('Pod')]);
        const stale = [
          ...nodes.filter((node) => isStale(heartbeatOf(node), node.metadata.name)),
          ...pods.filter((pod) => runningSince(pod).some((time) => isStale(time, pod.spec.nodeName))),
        ];
        if (stale.length === 0) return { done: true, value: undefined };
        const names = stale.map((object) => object.metadata.name).join(', ');
        return { done: false, seen: `states from before a node's restart: ${names}` };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError('E_CLUSTER_NOT_READY', error.message, { cause: error });
  }
}

function heartbeatOf(node: Node): string | undefined {
  return node.status?.conditions?.find((condition) => condition.type === 'Ready')?.lastHeartbeatTime;
}

function runningSince(pod: Pod): string[] {
  return (pod.status?.containerStatuses ?? []).flatMap((status) => status.state?.running?.startedAt ?? []);
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

function no(reason: string): ReuseResult {
  return { reused: false, reason };
}
