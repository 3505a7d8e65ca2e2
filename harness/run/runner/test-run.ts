/** One run: what it was asked for, what its tasks share, and the report that they fill. */
import { join } from 'node:path';
import { type Clock, systemClock } from '../../core/deadline.ts';
import { EXIT, InterruptedError } from '../../core/errors.ts';
import { Lifecycle } from '../../core/lifecycle.ts';
import type { Log } from '../../core/log.ts';
import { createFileLog } from '../../core/log.ts';
import { type FoundSecrets, Redactor } from '../../core/redact.ts';
import { credentialsOfSet } from '../../core/credentials.ts';
import type { PreparedImage } from '../../host/images/plan-images.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import type { Cluster } from '../../kube/cluster/cluster.ts';
import type { Rendered } from '../../kube/helm/types.ts';
import type { RunOptions } from '../plan/options.ts';
import type { RunPlan } from '../plan/plan.ts';
import type { Selection } from '../plan/select-checks.ts';
import type { RunEvent } from '../report/events.ts';
import type { Report, Stall } from '../report/model.ts';
import type { Multiplexer } from '../report/multiplexer.ts';
import { createMultiplexer } from '../report/multiplexer.ts';
import type { Reporter } from '../report/reporter.ts';
import type { RunCluster, RunProject } from './ports.ts';
import { makeSecrets, type SuiteSecrets } from './secrets.ts';
import type { Tools } from './step.ts';

export interface RunSettings {
  options: RunOptions;
  plan: RunPlan;
  /** Created by the caller, who owns the run's lock file in it. */
  directory: string;
  /** Aborted when the run is interrupted; its reason is an InterruptedError. */
  signal: AbortSignal;
  project: RunProject;
  cluster: RunCluster;
  reporters: readonly Reporter[];
  clock?: Clock | undefined;
}

/** Where `rendered` has the subject of a suite, or one of its further reference subjects. */
export function subjectKey({ name }: { name: string }, reference?: string): string {
  return reference === undefined ? name : `${name}/${reference}`;
}

/** Where `rendered` has the version before a subject. */
export function previousKey(key: string): string {
  return `${key}@previous`;
}

/** More names than this say no more. */
const NAMED_CHECKS = 6;

export class TestRun {
  readonly options: RunOptions;
  /** Tasks replace it by a plan that uses the copies of the subjects, and by one with the faults that are provable. */
  plan: RunPlan;
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly project: RunProject;
  readonly provider: RunCluster;
  readonly log: Log;
  readonly secrets: SuiteSecrets;
  /** Knows the secrets of the run: its own, those of `--set`, those of the subjects and those in the cluster. */
  readonly redactor: Redactor;
  /** A secret was learned from the cluster, so files that were written before may contain it. */
  learnedLate = false;
  readonly lifecycle: Lifecycle;
  readonly reporters: Multiplexer;
  readonly report: Report;
  readonly startedAt = Date.now();
  readonly clock: Clock;
  /** Titles of the tasks that run now. */
  readonly runningTasks = new Set<string>();
  /** Names of the checks and proofs that run now. */
  runningChecks: readonly string[] = [];
  /** The checks of the run, from the task `selection`; absent when it did not run. */
  selection: Selection | undefined;
  /** Rendered manifests by `subjectKey`, from the task `subject`. */
  readonly rendered = new Map<string, Rendered>();
  /** What the subject expects to find in its namespace, from the task `subject`. */
  readonly prerequisites: KubeObject[] = [];
  /** As the worker observed them; several checks report the same one. */
  readonly stalls: Stall[] = [];
  /** Images for the nodes, from the task `images`. */
  images: readonly PreparedImage[] = [];
  #tools: Tools | undefined;
  #cluster: Cluster | undefined;
  #interruption: InterruptedError | undefined;

  constructor({ options, plan, directory, signal, project, cluster, reporters, clock }: RunSettings) {
    this.options = options;
    this.plan = plan;
    this.directory = directory;
    this.signal = signal;
    this.project = project;
    this.provider = cluster;
    this.secrets = makeSecrets(plan);
    this.redactor = new Redactor({
      values: [...this.secrets.all.map((text) => ({ text })), ...credentialsOfSet(options.set)],
    });
    const { redact } = this.redactor;
    this.log = createFileLog(join(directory, 'run.jsonl'), {}, redact);
    this.clock = clock ?? systemClock;
    this.lifecycle = new Lifecycle(this.log, this.clock);
    this.reporters = createMultiplexer(reporters, { redact, log: this.log });
    this.report = {
      schemaVersion: 2,
      run: {
        id: plan.runId,
        startedAt: new Date(this.startedAt).toISOString(),
        durationMs: 0,
        command: project.commandLine,
        exitCode: EXIT.infrastructure,
        verdict: '',
      },
      tools: {},
      subjects: [],
      phases: [],
      checks: [],
    };
  }

  get tools(): Tools {
    return required(this.#tools, 'tools');
  }
  set tools(tools: Tools) {
    this.#tools = tools;
  }

  get cluster(): Cluster {
    return required(this.#cluster, 'cluster');
  }
  set cluster(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The cluster stays after the run. */
  get keepsCluster(): boolean {
    return this.options.keep || this.options.reuse;
  }

  /** Learns secrets that were found while checks ran. */
  learn(found: FoundSecrets): void {
    if (this.redactor.learn(found)) this.learnedLate = true;
  }

  emit(event: RunEvent): void {
    this.reporters.emit(event);
  }

  warn(text: string, hint?: string): void {
    this.emit({ type: 'notice', level: 'warning', text, ...(hint === undefined ? {} : { hint }) });
  }

  /** The error of an interrupted run: the name of the signal, or what failed and what was running at the first call. */
  interruption(): InterruptedError {
    return (this.#interruption ??= this.#interrupted());
  }

  #interrupted(): InterruptedError {
    const { reason } = this.signal as { reason: unknown };
    if (!(reason instanceof InterruptedError)) return new InterruptedError();
    const { failure, message } = reason;
    if (!failure || this.runningTasks.size === 0) return reason;
    return new InterruptedError(`${message}; running: ${this.#running()}`, failure);
  }

  /** `checks (toolman/T-28, fault any-node and 3 more)`. */
  #running(): string {
    const tasks = [...this.runningTasks].join(', ');
    const more = this.runningChecks.length - NAMED_CHECKS;
    const names = this.runningChecks.slice(0, NAMED_CHECKS).join(', ');
    return names === '' ? tasks : `${tasks} (${names}${more > 0 ? ` and ${more} more` : ''})`;
  }
}

function required<T>(value: T | undefined, task: string): T {
  if (value !== undefined) return value;
  throw new Error(`the task "${task}" has not run yet`);
}
