/** What a run needs from the folders that the harness does not know; scripts/ puts them together. */
import type { CommandRunner } from '../../core/command.ts';
import type { Lifecycle } from '../../core/lifecycle.ts';
import type { Log } from '../../core/log.ts';
import type { RunOptions } from '../plan/options.ts';
import type { Cluster } from '../../kube/cluster/cluster.ts';
import type { RunPlan } from '../plan/plan.ts';
import type { ImageRecipe } from '../../host/images/types.ts';
import type { RunObserver } from '../report/events.ts';
import type { RequirementRow } from '../report/model.ts';

/** What every step of a run gets. */
export interface StepDeps {
  run: CommandRunner;
  log: Log;
  signal: AbortSignal;
  /** Tells what is being done right now; shown with the elapsed time of the phase. */
  onProgress: (text: string) => void;
  runId: string;
  runDirectory: string;
  lifecycle: Lifecycle;
}

export interface ToolPaths {
  helm: string;
  /** Absent with an existing cluster. */
  kind?: string;
  /** Name -> version, for the report. */
  versions: Record<string, string>;
}

export interface RunPorts {
  projectRoot: string;
  observers: readonly RunObserver[];
  /** Puts right what can be put right. Throws InfrastructureError for what cannot. */
  preflight(deps: StepDeps, notice: (text: string, hint?: string) => void): Promise<void>;
  tools(deps: StepDeps, options: RunOptions): Promise<ToolPaths>;
  /** The Kubernetes that charts are rendered for before the cluster is there, `v1.36.3`; `undefined` when it is not known yet. */
  kubernetesVersion(options: RunOptions): Promise<string | undefined>;
  /**
   * The cluster of the plan, running, all system pods ready. Its removal is registered on the lifecycle before it is created. An
   * existing cluster is opened before everything else, and throws UsageError when it does not answer.
   */
  openCluster(
    deps: StepDeps,
    options: RunOptions,
    plan: RunPlan,
    tools: Pick<ToolPaths, 'kind'>,
  ): Promise<Cluster>;
  /** Registers on the lifecycle that what the suites' environments start beside the cluster is removed, whoever started it. */
  removeServices(deps: StepDeps): void;
  /** Everything that an ordinary user could not delete by deleting the cluster; empty when nothing is left. */
  leftovers(deps: StepDeps): Promise<string[]>;
  /** Recipes of images that helper pods of the checks use, whatever the subject is. */
  probeImages: readonly ImageRecipe[];
  /** The files that declare the checks and the proofs of a suite. */
  checksFile: string;
  proveFile: string;
  /** Requirement table of the chosen suites, for the report. */
  requirementRows(plan: RunPlan): Promise<RequirementRow[]>;
  /** Command line as the user typed it, and the one that runs a single check again. */
  commandLine: string;
}
