/** One run from the plan to the exit code: phases in order, everything taken down on every way out, reports written. */
import { mkdir, rm } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { createCommandRunner } from '../../core/command.ts';
import {
  CheckFailure,
  EXIT,
  exitCodeOf,
  InfrastructureError,
  InterruptedError,
  KindproofError,
  messageOf,
  UsageError,
  type ExitCode,
} from '../../core/errors.ts';
import { Lifecycle } from '../../core/lifecycle.ts';
import { createFileLog } from '../../core/log.ts';
import type { Cluster } from '../../kube/cluster/cluster.ts';
import type { RunOptions } from '../plan/options.ts';
import type { RunPlan } from '../plan/plan.ts';
import type { ClusterDescriptor } from '../suite/worker-config.ts';
import { createDeployer } from '../../kube/deploy/deployer.ts';
import { createManifestDeployer } from '../../kube/deploy/manifest-deployer.ts';
import { createHelm } from '../../kube/helm/helm.ts';
import type { RunEvent } from '../report/events.ts';
import { writeReports } from '../report/json.ts';
import type { CheckResult, Report } from '../report/model.ts';
import { isRed, plural } from '../report/verdict.ts';
import { createRedactor } from '../../core/redact.ts';
import { redactingObserver } from '../report/redacting-observer.ts';
import { makeSecrets, type SuiteSecrets } from './secrets.ts';
import { prepareEnvironmentImages, prepareSubjectImages, validateSubjects } from './subjects.ts';
import type { RunPorts, StepDeps, ToolPaths } from './ports.ts';
import { readTimelines } from './timelines.ts';
import { runChecks, type CheckProject } from './vitest-runner.ts';

export interface RunSettings {
  options: RunOptions;
  plan: RunPlan;
  ports: RunPorts;
  /** Created by the caller, who owns the run's lock file in it. */
  runDirectory: string;
  /** Aborted by the first signal. */
  signal: AbortSignal;
}

/** Runs the plan. Never throws for what a run can meet: the exit code and the report say how it ended. */
export async function executeRun(settings: RunSettings): Promise<ExitCode> {
  const { options, plan, ports, runDirectory, signal } = settings;
  const startedAt = Date.now();
  const secrets = makeSecrets(plan);
  const redact = createRedactor(secrets.all);
  const log = createFileLog(join(runDirectory, 'run.jsonl'), {}, redact);
  const lifecycle = new Lifecycle(log);
  const observers = ports.observers.map((observer) => redactingObserver(observer, redact));
  const emit = (event: RunEvent): void => {
    for (const observer of observers) observer.onEvent(event);
  };
  const report = emptyReport(plan, ports, startedAt);
  emit({
    type: 'run-started',
    runId: plan.runId,
    directory: runDirectory,
    command: ports.commandLine,
    plan: [],
  });

  async function phase<T>(name: string, body: (deps: StepDeps) => Promise<T>, life = lifecycle): Promise<T> {
    const from = Date.now();
    const ended = (status: 'passed' | 'failed'): void => {
      const durationMs = Date.now() - from;
      report.phases.push({ name, startedAt: new Date(from).toISOString(), durationMs, status });
      log.info('phase ended', { name, durationMs, status });
      emit({ type: 'phase-ended', name, durationMs, status });
    };
    emit({ type: 'phase-started', name });
    // Taking down must go on after an interruption, so it has a signal of its own.
    const own = life === lifecycle ? signal : new AbortController().signal;
    try {
      const result = await body({
        run: createCommandRunner({ log, signal: own }),
        log,
        signal: own,
        onProgress: (text) => {
          log.debug('progress', { name, text });
          emit({ type: 'phase-progress', name, text });
        },
        runId: plan.runId,
        runDirectory,
        lifecycle: life,
      });
      ended('passed');
      return result;
    } catch (error) {
      ended('failed');
      throw error;
    }
  }

  const notice = (text: string, hint?: string): void =>
    emit({ type: 'notice', level: 'warning', text, ...(hint === undefined ? {} : { hint }) });

  const tellInterruption = (): void =>
    notice('interrupted: taking down what was set up', 'A second Ctrl+C leaves the rest to `npm run sweep`.');
  signal.addEventListener('abort', tellInterruption, { once: true });

  const openCluster = (tools: Pick<ToolPaths, 'kind'>): Promise<Cluster> =>
    phase('cluster', (deps) => ports.openCluster(deps, options, plan, tools));

  let error: unknown;
  try {
    // A cluster that is there already needs nothing from us: that it cannot be reached is found out before anything is built.
    const existing = options.cluster === 'existing' ? await openCluster({}) : undefined;
    await phase('preflight', (deps) => ports.preflight(deps, notice));
    const tools = await phase('tools', (deps) => ports.tools(deps, options));
    report.tools = tools.versions;
    const helmDirectory = join(runDirectory, '.helm');
    lifecycle.defer("remove helm's working files", () => rm(helmDirectory, { recursive: true, force: true }));
    await mkdir(helmDirectory, { recursive: true });
    const kubeVersion = existing?.kubernetes ?? (await ports.kubernetesVersion(options));
    const rendered = await phase('subject', (deps) =>
      validateSubjects(
        plan,
        createDeployer(
          createHelm({
            run: deps.run,
            helmPath: tools.helm,
            workDir: helmDirectory,
            ...(kubeVersion === undefined ? {} : { capabilities: () => ({ kubeVersion }) }),
            log,
            signal,
          }),
          createManifestDeployer({ signal }),
        ),
      ),
    );
    const [cluster, images] = await bothOrNeither(
      existing ? Promise.resolve(existing) : openCluster(tools),
      phase('images', async (deps) => {
        await prepareEnvironmentImages(deps, plan);
        return prepareSubjectImages(deps, plan, rendered, ports.probeImages);
      }),
    );
    for (const image of images.filter((i) => i.source === 'unavailable')) {
      notice(`image ${image.ref} cannot be had here: ${image.reason ?? 'no reason is known'}`);
    }
    report.cluster = await describe(cluster);
    if (cluster.nodeImage)
      report.tools['node image'] = `${cluster.nodeImage.ref} ${cluster.nodeImage.digest}`;
    await phase('load images', async (deps) => {
      const refs = images.filter((i) => i.source !== 'unavailable').map((i) => i.ref);
      await cluster.loadImages(refs, deps.onProgress);
    });
    const digests = new Map(images.map((i) => [i.ref, i.digest]));
    const shown = (path: string): string => withinProject(ports.projectRoot, path);
    report.subjects = plan.suites.map((s) => ({
      suite: s.definition.name,
      chart: shown(s.subject.chart),
      values: s.subject.values.map(shown),
      images: s.subject.images.map((i) => ({ ...i, ...optionalDigest(digests.get(i.ref)) })),
    }));
    await phase('checks', (deps) => {
      if (plan.suites.some((s) => s.definition.environment)) ports.removeServices(deps);
      return check(settings, { report, emit, cluster, helmPath: tools.helm, digests, secrets });
    });
  } catch (caught) {
    error = signal.aborted ? interruption(signal) : caught;
    log.error('run failed', {
      error: caught instanceof Error ? (caught.stack ?? caught.message) : String(caught),
    });
  }
  report.timelines = await readTimelines(runDirectory, report.subjects).catch((failure: unknown) => {
    notice(`the timelines are missing: ${messageOf(failure)}`);
    return [];
  });

  const takeDown = async (deps: StepDeps): Promise<void> => {
    const failures = await lifecycle.close(deps.onProgress);
    for (const failure of failures)
      notice(`could not ${failure.title}: ${messageOf(failure.error)}`, 'Run `npm run sweep`.');
    // Before the preflight has passed nothing was made, and there may be no engine to ask.
    const isReady = report.phases.some((p) => p.name === 'preflight' && p.status === 'passed');
    report.leftovers = !isReady || options.keep || options.reuse ? [] : await ports.leftovers(deps);
  };
  try {
    await phase('take down', takeDown, new Lifecycle(log));
  } catch (failure) {
    notice(`taking down failed: ${messageOf(failure)}`, 'Run `npm run sweep`.');
  }
  if (report.cluster && (options.keep || options.reuse)) {
    emit({
      type: 'notice',
      level: 'info',
      text: `cluster ${report.cluster.name} stays; to get in: export KUBECONFIG=${join(runDirectory, 'kubeconfig')}`,
      hint: 'Use it again with --reuse, which removes what is installed; remove it with `npm run sweep -- --all`.',
    });
  }
  finish(report, error, options, startedAt);
  // The table takes seconds to collect: not for a slip of the pen, nor for somebody who wants to get out.
  const isQuick = error instanceof UsageError || error instanceof InterruptedError;
  report.requirements = isQuick ? [] : await ports.requirementRows(plan).catch(() => []);
  try {
    await writeReports(runDirectory, report, { redact: secrets.all });
  } catch (failure) {
    // Without its evidence a run cannot be said to have passed.
    log.error('reports could not be written', { error: messageOf(failure) });
    notice(messageOf(failure), failure instanceof KindproofError ? failure.hint : undefined);
    if (error === undefined) finish(report, failure, options, startedAt);
  }
  emit({ type: 'run-ended', report, directory: runDirectory });
  for (const observer of observers) observer.close?.();
  return report.run.exitCode as ExitCode;
}

interface Checking {
  report: Report;
  emit: (event: RunEvent) => void;
  cluster: Cluster;
  helmPath: string;
  digests: ReadonlyMap<string, string | undefined>;
  secrets: SuiteSecrets;
}

async function check(
  { options, plan, ports, runDirectory, signal }: RunSettings,
  { report, emit, cluster, helmPath, digests, secrets }: Checking,
): Promise<void> {
  const projects: CheckProject[] = [];
  for (const suite of plan.suites) {
    const { definition, subject } = suite;
    const config = {
      runId: plan.runId,
      runDirectory,
      suite: definition.name,
      subject: {
        ...subject,
        images: subject.images.map((i) => ({ ...i, ...optionalDigest(digests.get(i.ref)) })),
      },
      cluster: {
        provider: cluster.provider,
        name: cluster.name,
        kubeconfig: cluster.kubeconfig,
        context: cluster.context,
        kubernetes: cluster.kubernetes,
        fate: fateOf(options),
      },
      helmPath,
      secrets: secrets.of(definition.name),
      redact: secrets.all,
      ...(options.shard ? { shard: options.shard } : {}),
      ...(suite.select ? { select: suite.select } : {}),
    };
    if (plan.checks)
      projects.push({ name: definition.name, file: ports.checksFile, config: { ...config, mode: 'check' } });
    if (suite.faults.length > 0) {
      projects.push({
        name: `${definition.name} faults`,
        file: ports.proveFile,
        config: { ...config, mode: 'prove', faults: suite.faults },
      });
    }
  }
  const verdict = await runChecks({
    root: ports.projectRoot,
    projects,
    tags: options.tags,
    signal,
    listener: {
      onStart: ({ id, title }, suite) => emit({ type: 'check-started', suite, id, title }),
      onCapabilities: (proven) => {
        const known = report.cluster?.capabilities;
        known?.push(...proven.filter(({ name }) => !known.some((k) => k.name === name)));
      },
      onCheck: (result) => {
        const judged =
          options.strict && result.status === 'skipped'
            ? {
                ...result,
                status: 'failed' as const,
                reason: `skipped, and --strict allows no skips: ${result.reason ?? ''}`,
              }
            : result;
        report.checks.push(judged);
        emit({
          type: 'check-ended',
          check: judged,
          suite: judged.suite,
          rerun: rerunOf(options, judged.requirements[0] ?? ''),
        });
      },
      onProof: (proof) => {
        (report.proofs ??= []).push(proof);
        emit({ type: 'proof-ended', proof });
      },
    },
  });
  if (verdict.interrupted) throw interruption(signal);
  if (verdict.infrastructure) {
    throw new InfrastructureError('E_CLUSTER_LOST', verdict.infrastructure.message, {
      hint: verdict.infrastructure.hint,
    });
  }
  if (verdict.errors.length > 0) {
    throw new InfrastructureError(
      'E_SUITE',
      `the checks could not all be run: ${verdict.errors.join('; ')}`,
      {
        hint: 'This is a defect of the suite or of kindproof, not of the chart.',
      },
    );
  }
  const isFailed = ({ status }: CheckResult): boolean => status === 'failed';
  const errored = report.checks.filter((c) => c.status === 'errored');
  if (errored.length > 0 && !report.checks.some(isFailed)) {
    const [first] = errored;
    throw new InfrastructureError(
      'E_CHECKS_NOT_MADE',
      `${plural(errored.length, 'check')} could not be made, first ${first?.id ?? ''}: ${first?.reason ?? ''}`,
      { hint: 'What failed is not the chart: run again, and look into run.jsonl if it fails again.' },
    );
  }
  if (report.checks.length === 0 && (report.proofs ?? []).length === 0) {
    throw new CheckFailure('E_NOTHING_CHECKED', 'no check was run: the selection is empty', {
      hint: 'Look at --requirement, --tags and --fault; `npm run -s e2e -- --list` shows what there is.',
    });
  }
}

function fateOf({ cluster, keep, reuse }: RunOptions): ClusterDescriptor['fate'] {
  if (keep) return 'kept';
  return cluster === 'existing' || reuse ? 'cleaned' : 'deleted';
}

/** What the run was interrupted by, in the words of whoever did. */
function interruption(signal: AbortSignal): InterruptedError {
  return signal.reason instanceof InterruptedError ? signal.reason : new InterruptedError();
}

/** Waits for both even if one fails, so that nothing goes on behind the take-down; then throws what failed first. */
async function bothOrNeither<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  const failures: unknown[] = [];
  const noting = <T>(promise: Promise<T>): Promise<T> =>
    promise.catch((error: unknown) => {
      failures.push(error);
      throw error;
    });
  const [first, second] = await Promise.allSettled([noting(a), noting(b)]);
  if (first.status === 'rejected' || second.status === 'rejected') throw failures[0];
  return [first.value, second.value];
}

function optionalDigest(digest: string | undefined): { digest?: string } {
  return digest === undefined ? {} : { digest };
}

/** Files of the project by their path in it; a user's own as they were given. */
function withinProject(root: string, path: string): string {
  const inside = relative(root, path);
  return isAbsolute(path) && !inside.startsWith('..') ? inside : path;
}

async function describe(cluster: Cluster): Promise<NonNullable<Report['cluster']>> {
  return {
    provider: cluster.provider,
    name: cluster.name,
    kubernetes: cluster.kubernetes,
    nodes: await cluster.describe(),
    capabilities: [],
  };
}

function emptyReport(plan: RunPlan, ports: RunPorts, startedAt: number): Report {
  return {
    schemaVersion: 2,
    run: {
      id: plan.runId,
      startedAt: new Date(startedAt).toISOString(),
      durationMs: 0,
      command: ports.commandLine,
      exitCode: EXIT.infrastructure,
      verdict: '',
    },
    tools: {},
    subjects: [],
    phases: [],
    checks: [],
  };
}

function finish(report: Report, error: unknown, options: RunOptions, startedAt: number): void {
  const failed = report.checks.filter(isRed).length;
  const missed = (report.proofs ?? []).filter((p) => p.outcome !== 'caught').length;
  report.run.durationMs = Date.now() - startedAt;
  if (error !== undefined) {
    report.run.exitCode = exitCodeOf(error);
    report.run.verdict =
      error instanceof InterruptedError ? 'interrupted' : `no verdict: ${messageOf(error)}`;
    report.run.error = {
      code: error instanceof KindproofError ? error.code : 'E_UNEXPECTED',
      message: messageOf(error),
      ...(error instanceof KindproofError && error.hint !== undefined ? { hint: error.hint } : {}),
    };
    return;
  }
  report.run.exitCode = failed + missed > 0 ? EXIT.checkFailed : EXIT.passed;
  const parts = [
    ...(failed > 0 ? [`${failed} of ${report.checks.length} checks failed`] : []),
    ...(missed > 0 ? [`${missed} of ${report.proofs?.length ?? 0} faults were not caught`] : []),
  ];
  report.run.verdict =
    parts.length > 0
      ? parts.join(', ')
      : options.prove && !options.checks
        ? 'every fault was caught'
        : 'passed';
}

/** The command that runs just the checks of one requirement again. */
function rerunOf(options: RunOptions, requirement: string): string {
  const words = ['npm run e2e --', `--requirement ${requirement}`];
  if (options.chart !== undefined) words.push(`--chart ${options.chart}`);
  for (const file of options.values) words.push(`--values ${file}`);
  for (const pair of options.set) words.push(`--set '${pair}'`);
  for (const [name, ref] of Object.entries(options.images)) words.push(`--image ${name}=${ref}`);
  if (options.cluster === 'existing') {
    words.push(
      `--cluster existing --kubeconfig ${options.kubeconfig ?? ''} --context ${options.context ?? ''}`,
    );
  } else {
    words.push('--reuse');
  }
  return words.join(' ');
}
