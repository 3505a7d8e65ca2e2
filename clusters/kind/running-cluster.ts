/** A running kind cluster. */
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import type { Log } from '../../harness/core/log.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Cluster, NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { describeNodes } from '../nodes/describe-nodes.ts';
import { ensureGpuCapacity } from '../nodes/gpu-capacity.ts';
import { SHARED_STORAGE_PATH, sharedFolderOf } from './kind-config.ts';
import { dockerNodeAccess, listNodeContainers, schedulableNodes } from './node-containers.ts';
import { imageIdentities, listNodeImages, loadImagesIntoNodes } from './node-images.ts';
import type { PlannedNode } from './planned-nodes.ts';
import { gpuNodes } from './planned-nodes.ts';
import { restartNode } from './restart-node.ts';

export interface KindCluster extends Cluster {
  provider: 'kind';
  nodes: NodeAccess;
  assertGpuCapacity(): Promise<string[]>;
  restartNode(node: string): Promise<string[]>;
}

export interface RunningClusterInput {
  name: string;
  kubeconfig: string;
  kubernetes: string;
  nodeImage?: { ref: string; digest: string } | undefined;
  kube: KubeClient;
  /** Empty for a cluster of unknown origin. */
  plannedNodes: readonly PlannedNode[];
  run: CommandRunner;
  log: Log;
  clock: Clock;
  signal?: AbortSignal | undefined;
}

/** kind's context in the kubeconfig (kind, pkg/cluster/internal/kubeconfig). */
export function contextOf(cluster: string): string {
  return `kind-${cluster}`;
}

export function runningKindCluster(input: RunningClusterInput): KindCluster {
  const { name, kubeconfig, kube, plannedNodes, run, log, clock, signal } = input;
  const workers = async () => schedulableNodes(await listNodeContainers(run, name));
  return {
    provider: 'kind',
    name,
    context: contextOf(name),
    kubeconfig,
    kubernetes: input.kubernetes,
    ...(input.nodeImage && { nodeImage: input.nodeImage }),
    kube,
    // Teardown runs commands on nodes and restores GPU capacity, also after an interrupt: neither is bound to the signal.
    nodes: dockerNodeAccess(run),
    assertGpuCapacity: () => ensureGpuCapacity(kube.teardown, gpuNodes(plannedNodes), { clock }),
    describe: () => describeNodes(kube),
    restartNode: (node) => restartNode({ cluster: name, node, kube, plannedNodes, run, clock, signal }),
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
    imageIdentities: async (refs) => imageIdentities(refs, { run, nodes: await workers(), signal }),
    async imagesOnNodes() {
      const nodes = await workers();
      const lists = nodes.map(
        async (node) => [node, new Set((await listNodeImages(run, node, signal)).keys())] as const,
      );
      return new Map(await Promise.all(lists));
    },
  };
}
