/** Something that a run left on this machine, with its owner. */
import type { CommandRunner } from '../../harness/core/command.ts';
import type { LeftoverFact } from '../../harness/host/preflight/finding.ts';
import type { RunRecord, RunRegistry } from './run-lock.ts';

/** Prefix of the names of all clusters of kindproof. */
export const CLUSTER_PREFIX = 'kp-';

export interface Leftover extends LeftoverFact {
  kind: 'container' | 'volume' | 'network' | 'folder' | 'file' | 'record';
  /** The engine's id, or a path. */
  id: string;
  run?: string;
  /** Of a file or record: the existing cluster that the run kept. */
  cluster?: string;
  /** Of a record: the cluster that the run worked on (--cluster existing). */
  existing?: RunRecord['existing'];
}

export interface LeftoverDeps {
  run: CommandRunner;
  registry: RunRegistry;
  now: () => number;
  /** Default: the system's folder for temporary files. */
  temporaryDir?: string;
  signal?: AbortSignal | undefined;
}

export type Owner = RunRecord & { alive: boolean };

/** Whether a cluster is in the run's record, or is named after the run. */
export function ownsCluster(run: Owner, cluster: string): boolean {
  const own = `${CLUSTER_PREFIX}${run.run}`;
  const named = cluster === own || cluster.startsWith(`${own}-`);
  return run.clusters.includes(cluster) || run.kept.includes(cluster) || named;
}

/** The state of something that several runs may own. Without a record of its run, nobody here knows whether it is in use. */
export function stateOf(owners: readonly Owner[], isKept: (owner: Owner) => boolean): Leftover['state'] {
  if (owners.length === 0) return 'unowned';
  if (owners.some((owner) => owner.alive)) return 'alive';
  return owners.some(isKept) ? 'kept' : 'stale';
}
