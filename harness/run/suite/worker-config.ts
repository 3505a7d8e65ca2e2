/** What the main process tells the worker that runs the checks. Structured-clone values only. */
import type { ManifestPatch } from '../../kube/manifests/patch.ts';

export interface ClusterDescriptor {
  provider: 'kind' | 'existing';
  name: string;
  kubeconfig: string;
  context: string;
  kubernetes: string;
  /**
   * After the run: the cluster is `deleted` with all that is on it, `kept` as it is for the user to look at, or `cleaned` of everything that
   * the run has put there.
   */
  fate: 'deleted' | 'kept' | 'cleaned';
}

/** The subject of a suite as this run uses it: the reference, or what the user put in its place. */
export interface SubjectConfig {
  chart: string;
  values: readonly string[];
  set: readonly string[];
  /** Images put in place of those that the manifests name. */
  patches: readonly ManifestPatch[];
  /** Whether it is the built-in reference chart. */
  reference: boolean;
  images: readonly { name: string; ref: string; digest?: string }[];
}

export interface WorkerConfig {
  mode: 'list' | 'check' | 'prove';
  runId: string;
  runDirectory: string;
  suite: string;
  subject: SubjectConfig;
  /** Absent in mode `list`. */
  cluster?: ClusterDescriptor;
  helmPath?: string;
  /** Requirement ids to check; all when absent. */
  select?: readonly string[];
  /** Only the checks of this part, `index` from 1 to `count`. */
  shard?: { index: number; count: number };
  /** Faults to prove, in mode `prove`. */
  faults?: readonly string[];
  /** Of the suite's environment, by name. */
  secrets: Readonly<Record<string, string>>;
  /** Strings that must not appear in anything that is written. */
  redact: readonly string[];
}

declare module 'vitest' {
  interface ProvidedContext {
    kindproof: WorkerConfig;
  }
}
