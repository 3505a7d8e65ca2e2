/** What all checks of a suite share on the cluster: one release, the recorders, the prepared namespaces. */
import type { Clock } from '../../core/deadline.ts';
import { CheckFailure, DoesNotFit, InfrastructureError, messageOf } from '../../core/errors.ts';
import { Lifecycle } from '../../core/lifecycle.ts';
import type { Log } from '../../core/log.ts';
import type { Redactor } from '../../core/redact.ts';
import type { Deployer } from '../../kube/deploy/deployer.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import type { Helm, Rendered } from '../../kube/helm/types.ts';
import { readPrerequisites } from '../../kube/manifests/prerequisites.ts';
import type { Recorder } from '../../observe/recorder/recorder.ts';
import type { StallLog } from '../../observe/stalls/stall-log.ts';
import type { AttachedCluster } from './attached-cluster.ts';
import type { Fault, SuiteDefinition } from './definition.ts';
import type { Environment, MaybePrepared } from './environment.ts';
import type { Release } from './release.ts';
import { terminatingPodsGone } from './terminating-pods.ts';
import type { SubjectConfig } from './worker-config.ts';

export interface LabDeps {
  definition: SuiteDefinition;
  subject: SubjectConfig;
  cluster: AttachedCluster;
  helm: Helm;
  /** Path of the helm program. */
  helmPath?: string | undefined;
  /** Installs a chart or plain manifests. */
  deployer: Deployer;
  /** Opened on first use; absent when the suite has none. */
  environment?: (() => Promise<Environment>) | undefined;
  runId: string;
  runDirectory: string;
  /** In a proof: applied over every install. */
  fault?: Fault | undefined;
  redactor: Redactor;
  /** The cluster is deleted after the run, so an interrupted check needs no teardown. */
  disposable?: boolean;
  /** What the machine and the cluster lost in time. Without it, a stall is not noticed. */
  stalls?: StallLog | undefined;
  log: Log;
  /** Aborted when the run is interrupted. */
  signal: AbortSignal;
  /** Ids of the requirements that are advice. Absent: every failure is one. */
  advice?: readonly string[] | undefined;
  /** Replaced in unit tests. */
  clock?: Clock | undefined;
}

/** State that all checks of a suite, or of one proof, share. */
export class SharedLab {
  readonly deps: LabDeps;
  readonly lifecycle: Lifecycle;
  /** By namespace. */
  readonly recorders = new Map<string, Promise<Recorder>>();
  /** What was prepared before an install, and what the environment says about it, by namespace. */
  readonly prepared = new Map<string, Promise<MaybePrepared>>();
  /** Where each check works now, by its id. */
  readonly namespacesOf = new Map<string, ReadonlySet<string>>();
  /** The pods of prerequisites that ran when they were ready, by namespace. */
  readonly prerequisitePods = new Map<string, readonly Pod[]>();
  /** What the subject renders without changes of a check. */
  rendered: Promise<Rendered> | undefined;
  readonly #prefix: string;
  #count = 0;
  /** `by`: id of the check that installs it, and that reports when it does not become ready. */
  #shared: { by: string; release: Promise<Release> } | undefined;
  #room: Promise<void> | undefined;
  #prerequisites: Promise<KubeObject[]> | undefined;
  /** Namespaces of the shared release, since it is being installed: its own, and those that its objects name. */
  readonly sharedNamespaces: string[] = [];
  /** Set when the disturbance of the fault could not be applied. */
  failedDisturbance: DisturbanceError | undefined;

  constructor(deps: LabDeps) {
    this.deps = deps;
    this.lifecycle = new Lifecycle(deps.log);
    this.#prefix = [prefixOf(deps.runId), deps.definition.name, ...(deps.fault ? [deps.fault.name] : [])]
      .join('-')
      .slice(0, 56)
      .replace(/-+$/, '');
  }

  /** What the subject expects to find in its namespace. */
  prerequisites(): Promise<KubeObject[]> {
    return (this.#prerequisites ??= readPrerequisites(this.deps.subject.prerequisites ?? []));
  }

  nextNamespace(): string {
    this.#count += 1;
    return this.#count === 1 ? this.#prefix : `${this.#prefix}-${this.#count}`;
  }

  /** Ends the shared release of a subject that can exist only once, and waits until it is gone. Does nothing for another subject. */
  async makeRoom(): Promise<void> {
    if (this.deps.subject.once === true) await (this.#room ??= this.#endShared());
  }

  async #endShared(): Promise<void> {
    await this.#shared?.release.catch(() => {});
    await this.lifecycle.close();
    const { cluster, runId, log, signal, clock } = this.deps;
    await terminatingPodsGone(cluster.kube, runId, {
      log,
      signal,
      ...(clock && { clock }),
      namespaces: true,
    });
  }

  /**
   * The release that all undisturbed checks share.
   *
   * The check that installs it gets the error of a failed install. In a run without a fault all others get BlockedError, so that one
   * cause is reported once.
   */
  async sharedRelease(checkId: string, install: () => Promise<Release>): Promise<Release> {
    if (this.#room) {
      throw new InfrastructureError('E_ORDER', 'the shared release has ended, to make room for others');
    }
    const { by, release } = (this.#shared ??= { by: checkId, release: install() });
    try {
      return await release;
    } catch (error) {
      if (by !== checkId && !this.deps.fault) throw blockedBy(by, error);
      throw error;
    }
  }

  /** Whether checks share a release now. In a proof, each has its own. */
  get installsShared(): boolean {
    return this.#shared !== undefined && this.#room === undefined && !this.deps.fault;
  }

  /**
   * Waits for the shared release if one is being installed: when it cannot become ready, neither can another release of the same
   * subject, and the same cause would be reported again.
   *
   * @returns the shared release; undefined when there is none yet, and in a proof
   * @throws BlockedError; DoesNotFit
   */
  async sharedReleaseSettled(): Promise<Release | undefined> {
    if (!this.#shared || this.deps.fault) return undefined;
    try {
      const release = await this.#shared.release;
      return this.#room ? undefined : release;
    } catch (error) {
      throw blockedBy(this.#shared.by, error);
    }
  }
}

/** How the names of all namespaces of labs start. */
function prefixOf(runId: string): string {
  return `kp-${runId}`;
}

/** Whether a namespace is one of a lab of this run. */
export function isLabNamespace(name: string, runId: string): boolean {
  return name.startsWith(`${prefixOf(runId)}-`);
}

/** What does not fit the subject is no failure that another check reports: it prevents all of them in the same way. */
function blockedBy(by: string, error: unknown): Error {
  return error instanceof DoesNotFit ? error : new BlockedError(by, error);
}

/** The disturbance of a fault could not be applied, so the check looked at an undisturbed release. */
export class DisturbanceError extends InfrastructureError {
  constructor(cause: unknown) {
    super('E_FAULT_NOT_INJECTED', `the disturbance could not be applied: ${messageOf(cause)}`, { cause });
  }
}

/** The check did not run, because it rests on a failure that another check reports. */
export class BlockedError extends CheckFailure {
  /** Id of that check. */
  readonly by: string;
  constructor(by: string, cause: unknown) {
    super('E_BLOCKED', 'the release never became ready', { cause });
    this.by = by;
  }
}
