/** A kind cluster that runs. */
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import type { Log } from '../../harness/core/log.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Cluster, NodeAccess, Topology } from '../cluster.ts';
import { describeNodes } from '../describe-nodes.ts';
import { ensureGpuCapacity } from '../gpu-capacity.ts';
import { deleteCluster } from './delete-cluster.ts';
import { sharedFolderOf } from './host-folders.ts';
import { SHARED_STORAGE_PATH } from './kind-config.ts';
import { dockerNodeAccess, listNodeContainers, schedulableNodes } from './node-containers.ts';
import { listNodeImages, loadImagesIntoNodes } from './node-images.ts';
import type { PlannedNode } from './planned-nodes.ts';
import { gpuNodes } from './planned-nodes.ts';
import { restartNode } from './restart-node.ts';

export interface KindCluster extends Cluster {
  provider: 'kind';
  nodes: NodeAccess;
  /** What the cluster was made of; `undefined` for one that this tool did not make. */
  topology: Topology | undefined;
  /** Writes missing GPU capacity again and waits until it can be allocated; names the nodes that had lost it. */
  assertGpuCapacity(): Promise<string[]>;
  restartNode(node: string): Promise<string[]>;
}

export interface RunningClusterInput {
  name: string;
  kubeconfig: string;
  kubernetes: string;
  nodeImage?: { ref: string; digest: string } | undefined;
  kube: KubeClient;
  topology: Topology | undefined;
  plannedNodes: readonly PlannedNode[];
  run: CommandRunner;
  log: Log;
  clock: Clock;
  signal?: AbortSignal | undefined;
  /** What `delete()` does; default: removes the cluster. */
  onDelete?: (() => Promise<void>) | undefined;
}

/** kind's context in the kubeconfig (kind, pkg/cluster/internal/kubeconfig). */
export function contextOf(cluster: string): string {
  return `kind-${cluster}`;
}

export function runningKindCluster(input: RunningClusterInput): KindCluster {
  const { name, kubeconfig, kube, run, log, clock, signal } = input;
  const workers = async () => schedulableNodes(await listNodeContainers(run, name));
  return {
    provider: 'kind',
    name,
    context: contextOf(name),
    kubeconfig,
    kubernetes: input.kubernetes,
    ...(input.nodeImage && { nodeImage: input.nodeImage }),
    kube,
    nodes: dockerNodeAccess(run, signal),
    topology: input.topology,
    describe: () => describeNodes(kube),
    assertGpuCapacity: () => ensureGpuCapacity(kube, gpuNodes(input.plannedNodes), { clock, signal }),
    restartNode: (node) =>
      restartNode({ cluster: name, node, kube, plannedNodes: input.plannedNodes, run, clock, signal }),
    async loadImages(refs, onProgress) {
      const mount = { folder: sharedFolderOf(name), path: SHARED_STORAGE_PATH };
      const result = await loadImagesIntoNodes(refs, {
        run,
        nodes: await workers(),
        mount,
        signal,
        onProgress,
      });
      log.info('images loaded', { cluster: name, ...result });
    },
    async imagesOnNodes() {
      const nodes = await workers();
      const lists = nodes.map(
        async (node) => [node, new Set((await listNodeImages(run, node, signal)).keys())] as const,
      );
      return new Map(await Promise.all(lists));
    },
    async delete() {
      await kube.close();
      if (input.onDelete) await input.onDelete();
      else await deleteCluster(run, name, { kubeconfig, log, clock });
    },
  };
}
