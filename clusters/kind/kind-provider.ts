/** Clusters made by kind. */
import { mkdir, stat } from 'node:fs/promises';
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { systemClock } from '../../harness/core/deadline.ts';
import { InterruptedError, messageOf, UsageError } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import { silentLog } from '../../harness/core/log.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { createKubeClient } from '../../harness/kube/api/http-client.ts';
import type { Topology } from '../cluster.ts';
import { ensureGpuCapacity } from '../gpu-capacity.ts';
import { waitForSystem } from '../system-readiness.ts';
import type { Creation, CreationDeps } from './create-cluster.ts';
import { prepareKubeconfig, runKindCreate, StageFailure, withEvidence } from './create-cluster.ts';
import { deleteCluster } from './delete-cluster.ts';
import { readContainerdConfig, readEngineFacts } from './engine-facts.ts';
import { readOrigin, writeOrigin } from './fingerprint.ts';
import { installGpuRuntime, simulatesGpus } from './gpu-runtime.ts';
import { sharedFolderOf } from './host-folders.ts';
import type { EngineFacts } from './kind-config.ts';
import { renderKindConfig } from './kind-config.ts';
import { installMetricsServer } from './metrics-server.ts';
import { dockerNodeAccess, listNodeContainers } from './node-containers.ts';
import { gpuNodes, plannedNodes } from './planned-nodes.ts';
import { ensureRuntimeClasses } from './runtime-classes.ts';
import { exportKubeconfig, isOwnCluster, verifyForReuse } from './reuse-cluster.ts';
import type { KindCluster } from './running-cluster.ts';
import { contextOf, runningKindCluster } from './running-cluster.ts';

/** Opens a client; replaced in unit tests. */
export type Connect = (options: {
  kubeconfig: string;
  context: string;
  log?: Log | undefined;
  signal?: AbortSignal | undefined;
}) => Promise<KubeClient>;

export interface KindProviderDeps {
  /** Must not be bound to `signal`: clusters are removed after it has been aborted. */
  run: CommandRunner;
  kindPath: string;
  nodeImage: { ref: string; digest: string; kubernetes: string };
  log?: Log | undefined;
  /** Cancels creation, loading and waiting, never removal. */
  signal?: AbortSignal | undefined;
  clock?: Clock | undefined;
  connect?: Connect | undefined;
  /** What is known of the engine; asked for when absent. */
  engine?: EngineFacts | undefined;
}

export interface CreateKindCluster {
  name: string;
  topology: Topology;
  /** Path of the run's own kubeconfig; created, mode 0600. */
  kubeconfig: string;
  runId: string;
  /** Noted on the cluster, so that a sweep leaves it alone. */
  keep?: boolean | undefined;
  /** Take a cluster of this name if it fits; else it is made anew. */
  reuse?: boolean | undefined;
  /** Where the evidence of a failed creation goes. */
  evidenceDirectory?: string | undefined;
  onProgress?: ((text: string) => void) | undefined;
  /** For `kind create`, and again for the system pods. Default 600 000 and 300 000 ms. */
  timeoutMs?: { create?: number; ready?: number } | undefined;
}

export interface KindProvider {
  /**
   * Creates a cluster and waits until everything in it is ready; with `reuse` takes one that fits.
   *
   * Register `delete(name)` before calling: an interrupt leaves a half-made cluster to it.
   *
   * @throws InfrastructureError `E_CLUSTER_CREATE` after evidence was collected and the half-made cluster removed
   * @throws UsageError `E_CLUSTER_NAME`, `E_CLUSTER_EXISTS`
   */
  create(options: CreateKindCluster): Promise<KindCluster>;
  /** Connects to a running cluster; writes `kubeconfig` unless it is there. */
  attach(options: { name: string; kubeconfig: string }): Promise<KindCluster>;
  /** Removes a cluster, whole or half-made, with volumes and kubeconfig; one that does not exist is no error. */
  delete(name: string, kubeconfig?: string): Promise<string[]>;
  /** Names of all kind clusters on the engine, whoever made them. */
  list(): Promise<string[]>;
}

export function kindProvider(deps: KindProviderDeps): KindProvider {
  const { run, kindPath, nodeImage, signal } = deps;
  const log = deps.log ?? silentLog;
  const clock = deps.clock ?? systemClock;
  const connect = deps.connect ?? createKubeClient;
  const creationDeps: CreationDeps = { run, kindPath, log, clock, signal };
  const interrupted = new Set<string>();

  const provider: KindProvider = {
    async create(options) {
      assertClusterName(options.name);
      const onProgress = options.onProgress ?? (() => {});
      const existing = await listNodeContainers(run, options.name);
      if (existing.length > 0) {
        if (options.reuse !== true) throw alreadyExists(options.name);
        const reused = await reuse(options, onProgress);
        if (reused) return reused;
      }
      const start = clock.now();
      const cluster = await make(options, onProgress);
      log.info('cluster ready', { cluster: options.name, durationMs: clock.now() - start });
      return cluster;
    },

    async attach({ name, kubeconfig }) {
      const there = await stat(kubeconfig).catch(() => undefined);
      if (there === undefined || there.size === 0) {
        await exportKubeconfig(run, kindPath, { name, kubeconfig, signal });
      }
      const kube = await connect({ kubeconfig, context: contextOf(name), log, signal });
      const origin = await readOrigin(kube, `${name}-control-plane`);
      return toCluster({ name, kubeconfig }, kube, origin?.topology, origin?.nodeImage);
    },

    delete: (name, kubeconfig) =>
      deleteCluster(run, name, { kubeconfig, log, clock, interrupted: interrupted.has(name) }),

    async list() {
      const containers = await listNodeContainers(run);
      return [...new Set(containers.map((container) => container.cluster))];
    },
  };
  return provider;

  async function toCluster(
    at: { name: string; kubeconfig: string },
    kube: KubeClient,
    topology: Topology | undefined,
    imageDigest = nodeImage.digest,
  ): Promise<KindCluster> {
    return runningKindCluster({
      ...at,
      kubernetes: await kube.version(),
      ...(imageDigest === nodeImage.digest && { nodeImage: { ref: nodeImage.ref, digest: imageDigest } }),
      kube,
      topology,
      plannedNodes: topology === undefined ? [] : plannedNodes(at.name, topology),
      run,
      log,
      clock,
      signal,
    });
  }

  async function make(options: CreateKindCluster, onProgress: (text: string) => void): Promise<KindCluster> {
    const { name, topology, kubeconfig } = options;
    const creation = { name, kubeconfig, evidenceDirectory: options.evidenceDirectory, onProgress };
    try {
      return await withEvidence(creation, creationDeps, async () => {
        const config = await configOf(name, topology);
        await prepareKubeconfig(kubeconfig);
        const timeoutMs = options.timeoutMs?.create ?? 600_000;
        await runKindCreate({ ...creation, config, timeoutMs } satisfies Creation, creationDeps);
        const kube = await connect({ kubeconfig, context: contextOf(name), log, signal });
        await settle(kube, options, onProgress);
        return toCluster({ name, kubeconfig }, kube, topology);
      });
    } catch (error) {
      if (error instanceof InterruptedError) interrupted.add(name);
      throw error;
    }
  }

  async function configOf(name: string, topology: Topology): Promise<string> {
    const [engine, containerdConfig] = await Promise.all([
      deps.engine ?? readEngineFacts(run, { signal }),
      readContainerdConfig(run, nodeImage.ref, signal),
    ]);
    const sharedFolder = sharedFolderOf(name);
    await mkdir(sharedFolder, { recursive: true });
    const image = { ref: nodeImage.ref, kubernetes: nodeImage.kubernetes, containerdConfig };
    return renderKindConfig({ name, topology, image, engine, sharedFolder });
  }

  /** After kind: GPU capacity, metrics, everything ready, and a note of what the cluster was made of. */
  async function settle(
    kube: KubeClient,
    options: CreateKindCluster,
    onProgress: (text: string) => void,
  ): Promise<void> {
    const { name, topology } = options;
    const planned = plannedNodes(name, topology);
    const controlPlane = `${name}-control-plane`;
    try {
      if (simulatesGpus(topology)) await installGpuRuntime(dockerNodeAccess(run, signal), planned);
      onProgress('waiting for system pods');
      if (
        topology.metrics === true &&
        !(await installMetricsServer(kube, dockerNodeAccess(run, signal), controlPlane))
      ) {
        onProgress('the node image brings no metrics-server: checks that need metrics will be skipped');
      }
      await Promise.all([
        ensureGpuCapacity(kube, gpuNodes(planned), { clock, signal }),
        ensureRuntimeClasses(kube, topology),
        waitForSystem(kube, planned.length, {
          timeoutMs: options.timeoutMs?.ready,
          clock,
          signal,
          onProgress,
        }),
      ]);
      const namespaces = await kube.list('Namespace');
      await writeOrigin(kube, controlPlane, {
        runId: options.runId,
        keep: options.keep ?? false,
        nodeImage: nodeImage.digest,
        topology,
        systemNamespaces: namespaces.map((namespace) => namespace.metadata.name),
      });
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      throw new StageFailure('waiting for system pods', '', error, await apiEvidence(kube));
    }
  }

  async function reuse(
    options: CreateKindCluster,
    onProgress: (text: string) => void,
  ): Promise<KindCluster | undefined> {
    const { name, kubeconfig, topology } = options;
    onProgress(`verifying the cluster ${name}`);
    const reason = await (async () => {
      let kube: KubeClient | undefined;
      try {
        await exportKubeconfig(run, kindPath, { name, kubeconfig, signal });
        kube = await connect({ kubeconfig, context: contextOf(name), log, signal });
      } catch (error) {
        if (error instanceof InterruptedError) throw error;
        return `no access to it: ${messageOf(error)}`;
      }
      const containers = await listNodeContainers(run, name);
      const input = {
        name,
        topology,
        nodeImageDigest: nodeImage.digest,
        containers,
        kube,
        run,
        clock,
        signal,
        onProgress,
      };
      const result = await verifyForReuse(input);
      if (!result.reused) {
        await kube.close();
        return result.reason;
      }
      for (const repair of result.repairs) onProgress(repair);
      log.info('cluster reused', { cluster: name, repairs: result.repairs });
      return toCluster({ name, kubeconfig }, kube, result.topology);
    })();
    if (typeof reason !== 'string') return reason;
    log.warn('cluster not reused', { cluster: name, reason });
    if (!(await isOwnCluster(run, await listNodeContainers(run, name)))) {
      throw new UsageError(
        'E_CLUSTER_EXISTS',
        `the cluster ${name} cannot be reused (${reason}) and was not made by this tool`,
        {
          hint: `remove it yourself if it is not needed: kind delete cluster --name ${name}`,
        },
      );
    }
    onProgress(`the cluster ${name} cannot be reused, ${reason}: it is made anew`);
    await deleteCluster(run, name, { log, clock });
    return undefined;
  }
}

/** What the API still tells about a cluster whose system pods did not become ready. */
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

/** kind appends `-control-plane` and uses the result as a host name, which has at most 63 characters. */
function assertClusterName(name: string): void {
  if (/^[a-z0-9][a-z0-9.-]*$/.test(name) && name.length <= 49) return;
  throw new UsageError('E_CLUSTER_NAME', `"${name}" cannot be the name of a cluster`, {
    hint: 'use up to 49 lower-case letters, digits, dots and hyphens, beginning with a letter or digit',
  });
}

function alreadyExists(name: string): UsageError {
  return new UsageError('E_CLUSTER_EXISTS', `there is a cluster ${name} already`, {
    hint: 'take it with --reuse, or remove it with `npm run sweep`',
  });
}
