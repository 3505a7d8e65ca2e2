/** Configuration that the main process passes to the worker. Values must survive a structured clone. */
import type { FoundSecrets } from '../../core/redact.ts';
import type { ManifestPatch } from '../../kube/manifests/patch.ts';

export interface ClusterDescriptor {
  provider: 'kind' | 'existing';
  name: string;
  kubeconfig: string;
  context: string;
  kubernetes: string;
  /**
   * What happens to the cluster after the run: it is `deleted`, `kept` as it is, or `cleaned` of everything that the run created.
   */
  fate: 'deleted' | 'kept' | 'cleaned';
}

/** A chart or manifests, with what is applied to them. */
export interface SubjectSource {
  chart: string;
  /** Of a published chart (`oci://…`); the newest by default. */
  chartVersion?: string;
  values: readonly string[];
  set: readonly string[];
  /** Of a subject: replace images that the manifests name. Of a version before: how it differs, too. */
  patches: readonly ManifestPatch[];
}

/** The version before that the subject is upgraded from, and taken back to. */
export interface PreviousSubject extends SubjectSource {
  /** Its files are those of the subject; the copy gets this version. */
  copiedAs?: string;
}

/** The subject of a suite in this run: the reference, or the user's own. */
export interface SubjectConfig extends SubjectSource {
  /** Whether it is a built-in reference chart. */
  reference: boolean;
  /** Files with manifests that are applied to a namespace before the chart; absent when there are none. */
  prerequisites?: readonly string[];
  /** Name of the further reference subject of the suite that it is, or replaces. */
  referenceName?: string;
  images: readonly { name: string; ref: string; digest?: string }[];
  /** The description of the platform that is tested in place of the chart. */
  platform?: string;
  /** Absent when the run knows none. */
  previous?: PreviousSubject;
  /** It can exist only once on a cluster: its releases are installed one after the other. */
  once?: boolean;
}

/** Concurrent tests: they mostly wait for Kubernetes. A proof has three replicas of its own; more are too slow on two cores. */
export const CONCURRENCY = { list: 1, check: 8, prove: 5 } as const;

export interface WorkerConfig {
  mode: 'list' | 'check' | 'prove';
  runId: string;
  runDirectory: string;
  suite: string;
  subject: SubjectConfig;
  /** Further reference subjects that the faults are injected into, by name. */
  references?: Readonly<Record<string, SubjectConfig>>;
  /** Absent in mode `list`. */
  cluster?: ClusterDescriptor;
  helmPath?: string;
  /** Ids of the checks to run, in mode `check`. */
  checks?: readonly string[];
  /**
   * Ids of the requirements that are advice: a failure of their checks is a warning. Absent with `--strict-advice`, and in a proof, which
   * needs the failure: then nothing is advice.
   */
  advice?: readonly string[];
  /** Faults to prove, in mode `prove`. */
  faults?: readonly string[];
  /** Of the other suites whose faults the same worker proves, in mode `prove`. */
  others?: readonly WorkerConfig[];
  /** Secrets of the suite's environment, by name. */
  secrets: Readonly<Record<string, string>>;
  /** Redacted in all output. */
  redact: FoundSecrets;
}

declare module 'vitest' {
  interface ProvidedContext {
    kindproof: WorkerConfig;
  }
}
