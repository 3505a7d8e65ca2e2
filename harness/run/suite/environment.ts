/** What a subject needs beside it and does not bring along: programs outside the cluster, and how its namespaces reach them. */
import type { Lifecycle } from '../../core/lifecycle.ts';
import type { Log } from '../../core/log.ts';
import type { ImageRecipe } from '../../host/images/types.ts';
import type { ManifestPatch } from '../../kube/manifests/patch.ts';
import type { AttachedCluster } from './attached-cluster.ts';

/** On the containers beside the cluster, next to the label of the run; its value says what runs in it. */
export const SERVICE_LABEL = 'kindproof.dev/service';

export interface SuiteEnvironment {
  /** What it is, for messages: `PostgreSQL and an embedding service`. */
  title: string;
  /** Images that the local engine has to have; they are not loaded into the nodes. */
  images: readonly ImageRecipe[];
  /** Names of the secrets that every run makes anew. Their values are kept out of everything that is written. */
  secrets: readonly string[];
  /** Called once in each process that runs checks, before the first namespace is prepared. */
  open(context: EnvironmentContext): Promise<Environment>;
}

export interface EnvironmentContext {
  runId: string;
  cluster: AttachedCluster;
  /** By the names of `SuiteEnvironment.secrets`. */
  secrets: Readonly<Record<string, string>>;
  log: Log;
  signal: AbortSignal;
}

/** A running environment. Its containers carry the run's label and SERVICE_LABEL: the run removes them, whatever happens here. */
export interface Environment {
  /**
   * Puts into a namespace what the subject expects to find there, before it is installed.
   *
   * @param options what the check asked for (`InstallOptions.environment`)
   * @param lifecycle undoes it when the check ends
   */
  prepare(namespace: string, options: unknown, lifecycle: Lifecycle): Promise<PreparedNamespace>;
}

/** A suite's own class implements it, with the handles that its checks use. */
export interface PreparedNamespace {
  /** Laid over the subject, so that it finds what was prepared: addresses, credentials. */
  readonly patches: readonly ManifestPatch[];
}
