import type { CapabilityResult, Cluster } from '../../kube/cluster/cluster.ts';
import type { ClusterDescriptor } from './worker-config.ts';

/** A cluster as the checks see it: running, with capabilities that are proven on first use. */
export interface AttachedCluster extends Cluster {
  capability(name: string): Promise<CapabilityResult>;
}

/** Connects to the cluster that the main process has prepared. Provided by clusters/, which the harness does not know. */
export type AttachCluster = (descriptor: ClusterDescriptor) => Promise<AttachedCluster>;
