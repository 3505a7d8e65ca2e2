/** What a run needs from folders that the harness must not import. scripts/e2e puts them together. */
import type { CommandRunner } from '../../core/command.ts';
import type { ImageRecipe } from '../../host/images/types.ts';
import type { PreflightDeps, PreflightNeed } from '../../host/preflight/finding.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import type { Cluster, Provided } from '../../kube/cluster/cluster.ts';
import type { RunPlan } from '../plan/plan.ts';
import type { Selection } from '../plan/select-checks.ts';
import type { RequirementRow } from '../report/model.ts';
import type { Step, Tools } from './step.ts';

/** Where a run gets its cluster from: kind creates one, `--cluster existing` opens one. */
export interface RunCluster {
  /** The cluster exists already; it is opened before anything else, so that an unreachable one is reported at once. */
  readonly isExisting: boolean;
  /** Version that charts are rendered for, `v1.36.3`. A new cluster need not be open yet. */
  kubernetesVersion(): Promise<string>;
  preflightNeed(command: CommandRunner): Promise<Pick<PreflightNeed, 'cluster' | 'nodes' | 'buildNodeImage'>>;
  /**
   * Prepares what the cluster is made of, without helm and kind. First rejects what cannot work, such as a name in use.
   *
   * @throws UsageError before anything is created
   */
  prepare(step: Step): Promise<void>;
  /**
   * Adds to the cluster what the rendered subject of a suite asks of its nodes. Call it before `open`. Absent when the cluster does not
   * follow from a subject: it exists already, or nothing is to be provided.
   */
  provide?(suite: string, objects: readonly KubeObject[], release: { namespace: string }): Provided;
  /**
   * Adds to the cluster the storage classes that the objects ask for. Call it once before `open`, with the objects of all suites: nodes are
   * a matter of each suite, a class is not. Absent when nothing is to be provided.
   */
  provideStorage?(objects: readonly KubeObject[]): Provided;
  /**
   * Makes the nodes report as many CPUs as the releases of each subject request side by side. Call it once, after `prepare` and `provide`
   * and before `open`. Absent when nothing is to be provided.
   *
   * @param subjects the objects of one release of each
   */
  provideCpus?(
    subjects: readonly (readonly KubeObject[])[],
    release: { namespace: string },
    step: Step,
  ): Promise<Provided>;
  /**
   * The running cluster, all system pods ready.
   *
   * @throws UsageError when an existing cluster cannot be reached
   */
  open(step: Step, tools: Partial<Tools>): Promise<Cluster>;
  /** Removes what `open` created, or what the run created on a cluster that stays. Harmless when `open` did not run or failed. */
  close(step: Step): Promise<void>;
  /** What the run left behind although it should not have. */
  leftovers(step: Step): Promise<string[]>;
}

/** Facts and functions of the project that the harness is part of. */
export interface RunProject {
  root: string;
  cacheDirectory: string;
  /** The command line as the user typed it, with masked credentials. */
  commandLine: string;
  /** Files that declare the checks and the proofs of a suite; absolute. */
  checksFile: string;
  proofsFile: string;
  /** Recipes of images that pods of the checks use, whatever the subject is. */
  probeImages: readonly ImageRecipe[];
  /** How preflight lists and removes what earlier runs left on this machine. */
  earlierRuns(step: Step): Required<Pick<PreflightDeps, 'leftovers' | 'removeLeftovers'>>;
  /** Asks the person at the terminal. */
  confirm(question: string, signal: AbortSignal): Promise<boolean>;
  /** The requirements of the chosen suites, for the report. `declared` has the checks of these suites. */
  requirementRows(plan: RunPlan, declared: Selection['declared']): Promise<RequirementRow[]>;
}
