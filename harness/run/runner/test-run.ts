/** One run: what it was asked for, what its tasks share, and the report that they fill. */
import { join } from 'node:path';
import { EXIT, InterruptedError } from '../../core/errors.ts';
import { Lifecycle } from '../../core/lifecycle.ts';
import type { Log } from '../../core/log.ts';
import { createFileLog } from '../../core/log.ts';
import { createRedactor } from '../../core/redact.ts';
import type { PreparedImage } from '../../host/images/plan-images.ts';
import type { Cluster } from '../../kube/cluster/cluster.ts';
import type { Rendered } from '../../kube/helm/types.ts';
import type { RunOptions } from '../plan/options.ts';
import type { RunPlan } from '../plan/plan.ts';
import type { RunEvent } from '../report/events.ts';
import type { Report } from '../report/model.ts';
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
  /** Aborted by the first signal; its reason is an InterruptedError. */
  signal: AbortSignal;
  project: RunProject;
  cluster: RunCluster;
  reporters: readonly Reporter[];
}

export class TestRun {
  readonly options: RunOptions;
  readonly plan: RunPlan;
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly project: RunProject;
  readonly provider: RunCluster;
  readonly log: Log;
  readonly secrets: SuiteSecrets;
  readonly lifecycle: Lifecycle;
  readonly reporters: Multiplexer;
  readonly report: Report;
  readonly startedAt = Date.now();
  /** Rendered manifests by suite, from the task `subject`. */
  readonly rendered = new Map<string, Rendered>();
  /** Images for the nodes, from the task `images`. */
  images: readonly PreparedImage[] = [];
  #tools: Tools | undefined;
  #cluster: Cluster | undefined;

  constructor({ options, plan, directory, signal, project, cluster, reporters }: RunSettings) {
    this.options = options;
    this.plan = plan;
    this.directory = directory;
    this.signal = signal;
    this.project = project;
    this.provider = cluster;
    this.secrets = makeSecrets(plan);
    const redact = createRedactor(this.secrets.all);
    this.log = createFileLog(join(directory, 'run.jsonl'), {}, redact);
    this.lifecycle = new Lifecycle(this.log);
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

  emit(event: RunEvent): void {
    this.reporters.emit(event);
  }

  warn(text: string, hint?: string): void {
    this.emit({ type: 'notice', level: 'warning', text, ...(hint === undefined ? {} : { hint }) });
  }

  /** The error of an interrupted run, with the name of the signal. */
  interruption(): InterruptedError {
    const { reason } = this.signal as { reason: unknown };
    return reason instanceof InterruptedError ? reason : new InterruptedError();
  }
}

function required<T>(value: T | undefined, task: string): T {
  if (value !== undefined) return value;
  throw new Error(`the task "${task}" has not run yet`);
}
