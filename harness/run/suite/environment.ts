/** Programs outside the cluster that a subject needs, and how its namespaces reach them. */
import type { Lifecycle } from '../../core/lifecycle.ts';
import type { Log } from '../../core/log.ts';
import type { ImageRecipe } from '../../host/images/types.ts';
import type { ManifestPatch } from '../../kube/manifests/patch.ts';
import type { AttachedCluster } from './attached-cluster.ts';

/** Label of containers outside the cluster, next to RUN_LABEL; its value names the program. */
export const SERVICE_LABEL = 'kindproof.dev/service';

/** `Options`: what a check may request (`InstallOptions.environment`). `Prepared`: what it gets (`release.environment`). */
export interface SuiteEnvironment<Options = unknown, Prepared extends MaybePrepared = MaybePrepared> {
  /** For messages: `PostgreSQL and an embedding service`. */
  title: string;
  /** Images for the local engine; not loaded into the nodes. */
  images: readonly ImageRecipe[];
  /** Names of secrets. Every run generates new values and redacts them in all output. */
  secrets: readonly string[];
  /** Called once in each worker, before the first namespace is prepared. */
  open(context: EnvironmentContext): Promise<Environment<Options, Prepared>>;
}

export interface EnvironmentContext {
  runId: string;
  cluster: AttachedCluster;
  /** By the names of `SuiteEnvironment.secrets`. */
  secrets: Readonly<Record<string, string>>;
  log: Log;
  signal: AbortSignal;
}

/** A running environment. Its containers have RUN_LABEL and SERVICE_LABEL; the run removes them by these labels. */
export interface Environment<Options = unknown, Prepared extends MaybePrepared = MaybePrepared> {
  /**
   * Creates in a namespace what the subject needs before it is installed.
   *
   * @param options what the check requested; `undefined` for the default
   * @param lifecycle undoes it when the check ends
   */
  prepare(namespace: string, options: Options | undefined, lifecycle: Lifecycle): Promise<Prepared>;
}

/** What checks get from an environment; `undefined` in a suite without one. */
export type MaybePrepared = PreparedNamespace | undefined;

/** Implemented by a class of the suite, with the handles that its checks use. */
export interface PreparedNamespace {
  /** Applied to the subject, so that it finds what was prepared: addresses, credentials. */
  readonly patches: readonly ManifestPatch[];
}
