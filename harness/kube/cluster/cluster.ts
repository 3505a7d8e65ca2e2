/** The interface of a cluster for the rest of the harness. clusters/ implements it, for kind and for existing clusters. */
import type { CommandResult } from '../../core/command.ts';
import type { KubeClient } from '../api/client.ts';

/** Identical worker nodes. The control plane always has one node and is not listed. */
export interface NodeGroup {
  name: string;
  count: number;
  labels?: Record<string, string>;
  taints?: { key: string; value?: string; effect: 'NoSchedule' | 'NoExecute' | 'PreferNoSchedule' }[];
  /** `nvidia.com/gpu` capacity of each node, in order; has `count` entries. */
  gpus?: number[];
}

/** The nodes and features that a suite requires. A plan merges those of its suites into the smallest cluster that satisfies all. */
export interface Topology {
  groups: NodeGroup[];
  /** RuntimeClasses whose handler must exist in containerd. */
  runtimeClasses?: string[];
  metrics?: boolean;
  /** Beside those of the node image. */
  storageClasses?: ExtraStorageClass[];
  /** How many CPUs each node reports, where that is more than the machine has. */
  cpus?: number;
}

/** A class of storage that a cluster gets although its node image does not have it. */
export interface ExtraStorageClass {
  name: string;
  /** Several nodes can mount a volume of it. Otherwise, volumes are folders of one node. */
  isShared: boolean;
}

/** Something that a subject asks of the cluster, and what in it asks for it. */
export interface NodeWish {
  /** `3 workers`, `label disk=ssd on 1 worker`. */
  what: string;
  /** `required anti-affinity of Deployment web over kubernetes.io/hostname`. */
  why: string;
}

/** What the cluster of a run has because a subject asks for it, and what the subject asks for in vain. */
export interface Provided {
  given: NodeWish[];
  missing: NodeWish[];
}

/** Runs commands on a node. Only kind clusters have it. */
export interface NodeAccess {
  run(
    node: string,
    command: readonly string[],
    options?: { input?: string | Uint8Array; timeoutMs?: number; reject?: boolean },
  ): Promise<CommandResult>;
}

/** Where a node's GPU capacity comes from, least realistic first. `real`: the harness did not simulate it. */
export type GpuSource = 'status-patch' | 'device-plugin' | 'real';

export interface ClusterNode {
  name: string;
  role: 'control-plane' | 'worker';
  labels: Record<string, string>;
  taints: string[];
  gpus: number;
  /** Absent on nodes that do not advertise GPUs. */
  gpuSource?: GpuSource;
  kubelet: string;
  runtime: string;
}

export interface CapabilityResult {
  name: string;
  present: boolean;
  /** What proves the capability, or why it is absent. */
  evidence: string;
}

/** An image on the nodes. */
export interface ImageIdentity {
  /** Digests of its manifest; several when nodes have different images under one reference. */
  manifests: string[];
  /** Everything that a pod may show as the id of this image: manifests and configurations, `sha256:…`. */
  ids: string[];
}

/** A running cluster, as checks and the runner use it. */
export interface Cluster {
  provider: 'kind' | 'existing';
  name: string;
  context: string;
  /** Path of the run's own kubeconfig, mode 0600. */
  kubeconfig: string;
  kubernetes: string;
  nodeImage?: { ref: string; digest: string };
  kube: KubeClient;
  nodes?: NodeAccess;
  describe(): Promise<ClusterNode[]>;
  /** Loads images from the local engine into every node that lacks them, in one batch. */
  loadImages(refs: readonly string[], onProgress?: (text: string) => void): Promise<void>;
  /**
   * What the nodes have under the references; those that no node has are absent. Only kind clusters have it: their images were loaded,
   * not pulled by the nodes.
   */
  imageIdentities?(refs: readonly string[]): Promise<Map<string, ImageIdentity>>;
  /** Image references on each schedulable node, by node name. */
  imagesOnNodes(): Promise<Map<string, Set<string>>>;
  /**
   * Restores GPU capacity that nodes have lost (a node loses it when it registers again) and waits until it is allocatable.
   * Only kind clusters, which simulate GPUs, have it.
   *
   * @returns names of the restored nodes
   */
  assertGpuCapacity?(): Promise<string[]>;
  /**
   * Restarts a worker and waits until it is ready, with its planned labels, taints and GPUs. Only kind clusters have it.
   *
   * @returns one sentence for each thing that had to be restored
   */
  restartNode?(node: string): Promise<string[]>;
}
