/** Creates, reuses and removes kind clusters. */
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { systemClock } from '../../harness/core/deadline.ts';
import { InterruptedError, messageOf, UsageError } from '../../harness/core/errors.ts';
import { makeOwnFolder } from '../../harness/core/own-folder.ts';
import type { Log } from '../../harness/core/log.ts';
import { silentLog } from '../../harness/core/log.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { createKubeClient } from '../../harness/kube/api/http-client.ts';
import type { Topology } from '../../harness/kube/cluster/cluster.ts';
import { ensureGpuCapacity } from '../nodes/gpu-capacity.ts';
import { waitForSystem } from '../nodes/system-readiness.ts';
import { assertClusterName, ClusterExistsError } from './cluster-name.ts';
import { writeOrigin } from './cluster-origin.ts';
import type { CreationDeps } from './create-cluster.ts';
import { prepareKubeconfig, runKindCreate, StageFailure, withEvidence } from './create-cluster.ts';
import { deleteCluster, removeKubeconfig } from './delete-cluster.ts';
import { readContainerdConfig, readEngineCpus, readEngineFacts } from './engine-facts.ts';
import { installGpuRuntime, simulatesGpus } from './gpu-runtime.ts';
import type { EngineFacts } from './kind-config.ts';
import { kubeletSets, renderKindConfig, sharedFolderOf } from './kind-config.ts';
import { installMetricsServer } from './metrics-server.ts';
import { dockerNodeAccess, listNodeContainers } from './node-containers.ts';
import { controlPlaneOf, gpuNodes, plannedNodes } from './planned-nodes.ts';
import { repairNodes } from './repair.ts';
import { exportKubeconfig, isOwnCluster, verifyForReuse } from './reuse-cluster.ts';
import type { KindCluster } from './running-cluster.ts';
import { contextOf, runningKindCluster } from './running-cluster.ts';
import { writeCpus } from './node-cpus.ts';
import { ensureRuntimeClasses } from './runtime-classes.ts';
import { ensureStorageClasses } from './storage-classes.ts';

/** Opens a client; replaced in unit tests. */
export type Connect = (options: {
  kubeconfig: string;
  context: string;
  log?: Log | undefined;
  signal?: AbortSignal | undefined;
}) => Promise<KubeClient>;

export interface KindProviderDeps {
  /** Must not be bound to `signal`: clusters are removed after it has aborted. */
  run: CommandRunner;
  kindPath: string;
  nodeImage: { ref: string; digest: string; kubernetes: string };
  log?: Log | undefined;
  /** Cancels creation, loading and waiting, never removal. */
  signal?: AbortSignal | undefined;
  clock?: Clock | undefined;
  connect?: Connect | undefined;
  /** Default: read from the engine and this machine. */
  engine?: EngineFacts | undefined;
}

export interface CreateKindCluster {
  name: string;
  topology: Topology;
  /** Path of the run's own kubeconfig; created with mode 0600. */
  kubeconfig: string;
  /** Use an existing cluster of this name if it fits the topology and the node image; otherwise create it again. */
  reuse?: boolean | undefined;
  /** Directory for the evidence of a failed creation. */
  evidenceDirectory?: string | undefined;
  onProgress?: ((text: string) => void) | undefined;
}

export interface KindProvider {
  /**
   * Creates a cluster and waits until all its system pods are ready; with `reuse`, uses an existing one that fits.
   *
   * Register `delete(name)` before the call: an interrupt leaves a partly created cluster.
   *
   * @throws InfrastructureError `E_CLUSTER_CREATE` after evidence was collected and the partly created cluster removed
   * @throws UsageError `E_CLUSTER_NAME`, `E_CLUSTER_EXISTS`
   */
  create(options: CreateKindCluster): Promise<KindCluster>;
  /**
   * Removes a cluster, complete or partly created, with its volumes and the kubeconfig. A missing cluster is not an error. Removes only the
   * kubeconfig if the cluster existed before a `create` that failed or was interrupted.
   *
   * @returns names of the removed containers
   */
  delete(name: string, kubeconfig: string): Promise<string[]>;
}

type Progress = (text: string) => void;

export function kindProvider(deps: KindProviderDeps): KindProvider {
  const { run, kindPath, nodeImage, signal } = deps;
  const log = deps.log ?? silentLog;
  const clock = deps.clock ?? systemClock;
  const connect = deps.connect ?? createKubeClient;
  const creationDeps: CreationDeps = { run, kindPath, log, clock, signal };
  const interrupted = new Set<string>();
  /** Clusters that may exist and that this provider has neither reused nor replaced. */
  const foreign = new Set<string>();

  return {
    async create(options) {
      const { name, onProgress = () => {} } = options;
      assertClusterName(name);
      // Also while nothing is known about it: the engine may not answer.
      foreign.add(name);
      const exists = (await listNodeContainers(run, name)).length > 0;
      if (exists && options.reuse !== true) throw new ClusterExistsError(name);
      const reused = exists ? await reuse(options, onProgress) : undefined;
      foreign.delete(name);
      if (reused) return reused;
      if (exists) await deleteCluster(run, name, { log, clock });
      const start = clock.now();
      const cluster = await make(options, onProgress);
      log.info('cluster ready', { cluster: name, durationMs: clock.now() - start });
      return cluster;
    },

    async delete(name, kubeconfig) {
      if (foreign.has(name)) {
        await removeKubeconfig(kubeconfig);
        return [];
      }
      return deleteCluster(run, name, { kubeconfig, log, clock, interrupted: interrupted.has(name) });
    },
  };

  async function toCluster(
    { name, kubeconfig }: CreateKindCluster,
    kube: KubeClient,
    topology: Topology,
  ): Promise<KindCluster> {
    return runningKindCluster({
      name,
      kubeconfig,
      kubernetes: await kube.version(),
      nodeImage: { ref: nodeImage.ref, digest: nodeImage.digest },
      kube,
      plannedNodes: plannedNodes(name, topology),
      run,
      log,
      clock,
      signal,
    });
  }

  async function make(options: CreateKindCluster, onProgress: Progress): Promise<KindCluster> {
    const { name, topology, kubeconfig } = options;
    const creation = { name, kubeconfig, evidenceDirectory: options.evidenceDirectory, onProgress };
    // Every node mounts it, and it is emptied by root: it must not lead to files of somebody else.
    await makeOwnFolder(sharedFolderOf(name));
    try {
      return await withEvidence(creation, creationDeps, async () => {
        if (topology.cpus !== undefined)
          await writeCpus(sharedFolderOf(name), topology.cpus, await readEngineCpus(run, signal));
        const config = await configOf(name, topology);
        await prepareKubeconfig(kubeconfig);
        await runKindCreate({ ...creation, config }, creationDeps);
        const kube = await connect({ kubeconfig, context: contextOf(name), log, signal });
        await settle(kube, options, onProgress);
        return toCluster(options, kube, topology);
      });
    } catch (error) {
      if (error instanceof InterruptedError) interrupted.add(name);
      if (error instanceof ClusterExistsError) foreign.add(name);
      throw error;
    }
  }

  async function configOf(name: string, topology: Topology): Promise<string> {
    const [engine, containerdConfig] = await Promise.all([
      deps.engine ?? readEngineFacts(run, { signal }),
      readContainerdConfig(run, nodeImage.ref, signal),
    ]);
    const image = { ref: nodeImage.ref, kubernetes: nodeImage.kubernetes, containerdConfig };
    return renderKindConfig({ name, topology, image, engine, sharedFolder: sharedFolderOf(name) });
  }

  /** Everything after `kind create cluster`: GPUs, metrics, classes, readiness, and the record of the cluster's origin. */
  async function settle(kube: KubeClient, options: CreateKindCluster, onProgress: Progress): Promise<void> {
    const { name, topology } = options;
    const planned = plannedNodes(name, topology);
    const access = dockerNodeAccess(run, signal);
    try {
      if (simulatesGpus(topology)) await installGpuRuntime(access, planned);
      // The labels that kind could not set.
      if (planned.some(({ labels }) => !Object.keys(labels).every(kubeletSets)))
        await repairNodes(kube, planned);
      onProgress('waiting for system pods');
      if (topology.metrics === true && !(await installMetricsServer(kube, access, controlPlaneOf(name)))) {
        onProgress('the node image has no metrics-server: checks that need metrics will be skipped');
      }
      // Before the wait: it may start the provisioner again.
      await ensureStorageClasses(kube, topology, onProgress);
      await Promise.all([
        ensureGpuCapacity(kube, gpuNodes(planned), { clock, signal }),
        ensureRuntimeClasses(kube, topology),
        waitForSystem(kube, planned.length, { clock, signal, onProgress }),
      ]);
      const namespaces = await kube.list('Namespace');
      await writeOrigin(kube, name, {
        nodeImage: nodeImage.digest,
        topology,
        systemNamespaces: namespaces.map((namespace) => namespace.metadata.name),
      });
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      throw new StageFailure('waiting for system pods', '', error, await apiEvidence(kube));
    }
  }

  /**
   * @returns `undefined` when the cluster does not fit and has to be replaced
   * @throws UsageError `E_CLUSTER_EXISTS` when it does not fit and kindproof did not create it
   */
  async function reuse(options: CreateKindCluster, onProgress: Progress): Promise<KindCluster | undefined> {
    const { name, topology, kubeconfig } = options;
    onProgress(`verifying cluster ${name}`);
    const containers = await listNodeContainers(run, name);
    const result = await verifyForReuse({
      name,
      topology,
      nodeImageDigest: nodeImage.digest,
      containers,
      connect: async () => {
        await exportKubeconfig(run, kindPath, { name, kubeconfig, signal });
        return connect({ kubeconfig, context: contextOf(name), log, signal });
      },
      run,
      clock,
      signal,
      onProgress,
    });
    if (result.reused) {
      for (const repair of result.repairs) onProgress(repair);
      log.info('cluster reused', { cluster: name, repairs: result.repairs });
      return toCluster(options, result.kube, result.topology);
    }
    const { reason } = result;
    log.warn('cluster not reused', { cluster: name, reason });
    if (!(await isOwnCluster(run, containers))) {
      throw new UsageError(
        'E_CLUSTER_EXISTS',
        `cluster ${name} cannot be reused (${reason}), and kindproof did not create it`,
        { hint: `if you do not need it, remove it: kind delete cluster --name ${name}` },
      );
    }
    onProgress(`creating cluster ${name} again: ${reason}`);
    return undefined;
  }
}

/** The API objects of a cluster whose system pods did not become ready. Closes the client. */
async function apiEvidence(kube: KubeClient): Promise<Record<string, string>> {
  const dump = async (kind: 'Pod' | 'Event' | 'Node') => {
    try {
      return JSON.stringify(await kube.list(kind, { timeoutMs: 10_000 }), null, 2);
    } catch (error) {
      return `could not be collected: ${messageOf(error)}\n`;
    }
  };
  const [pods, events, nodes] = await Promise.all([dump('Pod'), dump('Event'), dump('Node')]);
  await kube.close();
  return { 'pods.json': pods, 'events.json': events, 'nodes.json': nodes };
}
