import type { Log } from '../../core/log.ts';
import type { CapabilityResult, Cluster } from '../../kube/cluster/cluster.ts';
import type { ClusterDescriptor } from './worker-config.ts';

/** A cluster as the checks see it: running, with capabilities that are proven on first use. */
export interface AttachedCluster extends Cluster {
  capability(name: string): Promise<CapabilityResult>;
}

/**
 * Connects to the cluster that the main process has prepared. Provided by clusters/, which the harness must not import.
 *
 * @param deps.signal ends the calls of `kube`, but not those of `kube.teardown`
 * @param deps.labels on everything that capability probes create
 */
export type AttachCluster = (
  descriptor: ClusterDescriptor,
  deps: { log: Log; signal: AbortSignal; labels: Readonly<Record<string, string>> },
) => Promise<AttachedCluster>;
