/** What a cluster is to the rest of the tool, whoever provides it. Implemented in clusters/. */
import type { CommandResult } from '../../core/command.ts';
import type { KubeClient } from '../api/client.ts';

export interface NodeGroup {
  /** `worker` nodes of one kind; the control plane is always one node and not listed. */
  name: string;
  count: number;
  labels?: Record<string, string>;
  taints?: { key: string; value?: string; effect: 'NoSchedule' | 'NoExecute' | 'PreferNoSchedule' }[];
  /** Number of `nvidia.com/gpu` advertised by each node of the group, in order; its length is `count`. */
  gpus?: number[];
}

/** What a suite needs, and what a plan merges into the smallest cluster that serves all. */
export interface Topology {
  groups: NodeGroup[];
  /** RuntimeClasses whose handler has to exist in containerd. */
  runtimeClasses?: string[];
  storageClasses?: string[];
  metrics?: boolean;
}

/** Commands on a node of the cluster: only where the provider has the nodes at hand (kind). */
export interface NodeAccess {
  run(
    node: string,
    command: readonly string[],
    options?: { input?: string | Uint8Array; timeoutMs?: number; reject?: boolean },
  ): Promise<CommandResult>;
}

/** Where a node's GPUs come from, from the least to the most faithful; `real` is every capacity that this tool did not invent. */
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
  /** What was seen that proves it, or why it is absent. */
  evidence: string;
}

/** A running cluster. What was started has another type than what can be started (ClusterProvider). */
export interface Cluster {
  provider: 'kind' | 'existing';
  name: string;
  context: string;
  /** Path of a kubeconfig of the run's own, mode 0600. */
  kubeconfig: string;
  kubernetes: string;
  nodeImage?: { ref: string; digest: string };
  kube: KubeClient;
  nodes?: NodeAccess;
  describe(): Promise<ClusterNode[]>;
  /** Loads images that the local engine has into every node that lacks them, in one batch. */
  loadImages(refs: readonly string[], onProgress?: (text: string) => void): Promise<void>;
  /** Image references present on every schedulable node. */
  imagesOnNodes(): Promise<Map<string, Set<string>>>;
  /**
   * Writes GPU capacity that nodes have lost (one that registers anew has) and waits until it can be allocated; names those nodes.
   * Only where the provider invents GPUs (kind).
   */
  assertGpuCapacity?(): Promise<string[]>;
  /**
   * Restarts a worker and waits until it works again, with the labels, taints and GPUs that were planned. Only where the provider has the
   * nodes at hand (kind).
   *
   * @returns one sentence for everything that had to be put back
   */
  restartNode?(node: string): Promise<string[]>;
  /** Removes the cluster; of an `existing` cluster nothing but connections. */
  delete(): Promise<void>;
}
