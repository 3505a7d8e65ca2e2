/** Runs the checks of the chosen suites with vitest, in worker threads. */
import { relative } from 'node:path';
import {
  BaseSequencer,
  createVitest,
  type PoolOptions,
  type Reporter,
  type TestSpecification,
  type Vitest,
} from 'vitest/node';
import { type Clock, endWithin, systemClock } from '../../core/deadline.ts';
import { InfrastructureError, messageOf } from '../../core/errors.ts';
import { CONCURRENCY, type WorkerConfig } from '../suite/worker-config.ts';
import { CheckWorker } from './check-worker.ts';
import { readList, writeList, type ListedCheck } from './check-list.ts';
import type { CheckListener, ResultReporter, RunnerSummary } from './result-reporter.ts';
import { resultReporter } from './result-reporter.ts';

/** One vitest project: the checks of one suite, or the proofs of its faults. */
export interface CheckProject {
  name: string;
  /** Absolute path of the file that declares the checks or proofs. */
  file: string;
  config: WorkerConfig;
}

export interface RunnerOptions {
  root: string;
  projects: readonly CheckProject[];
  signal: AbortSignal;
  listener: CheckListener;
  clock?: Clock | undefined;
}

/** How soon after an interruption a worker does something else than to run the code that was interrupted. */
const ANSWER_MS = 15_000;
/** Longer than the hooks in which a worker takes down what the checks have set up. */
const TEARDOWN_MS = 150_000;
/** How long the end of a thread is awaited, which code outside of JavaScript can delay. */
const END_MS = 10_000;

/**
 * Runs all projects one after the other. After an interruption a worker may take down, but it is ended when it is blocked or takes too
 * long: the teardown of the run must not wait for it.
 *
 * @throws InfrastructureError when vitest itself cannot start
 */
export async function runChecks(options: RunnerOptions): Promise<RunnerSummary> {
  const isAborted = (): boolean => options.signal.aborted;
  const summary: RunnerSummary = { errors: [], interrupted: false };
  const { clock = systemClock } = options;
  const workers: CheckWorker[] = [];
  let reporter: ResultReporter | undefined;
  const onDeath = (error: unknown): void => {
    summary.died = `the worker that runs the checks died: ${messageOf(error)}`;
    reporter?.reportDeath(summary.died);
  };
  const vitest = await open(options, {
    reporters: (v) => [(reporter = resultReporter(options, summary, v))],
    worker: (pool) => {
      const worker = new CheckWorker(pool, onDeath);
      workers.push(worker);
      return worker;
    },
  });
  const ended = new AbortController();
  let cancel = (): void => {};
  const givenUp = new Promise<undefined>((resolve) => {
    cancel = () => {
      summary.interrupted = true;
      cancelRun(vitest);
      endWorkers(vitest, workers, clock, ended.signal).then(
        () => resolve(undefined),
        () => {},
      );
    };
  });
  options.signal.addEventListener('abort', cancel, { once: true });
  try {
    // vitest cannot cancel a run that has not started.
    if (isAborted()) return { ...summary, interrupted: true };
    const run = await Promise.race([vitest.start(), givenUp]);
    if (!run) return summary;
    summary.errors.push(...run.unhandledErrors.map((error) => messageOf(error)));
    for (const module of run.testModules) {
      for (const error of module.errors()) {
        summary.errors.push(`${relative(options.root, module.moduleId)}: ${error.message}`);
      }
    }
    const seen = new Set(run.testModules.map((module) => module.project.name));
    for (const { name, file } of options.projects) {
      if (seen.has(name) || summary.interrupted || summary.infrastructure) continue;
      summary.errors.push(`${relative(options.root, file)}: there is no such file`);
    }
  } finally {
    ended.abort();
    options.signal.removeEventListener('abort', cancel);
    await close(vitest);
  }
  return summary;
}

function cancelRun(vitest: Vitest): void {
  // Its failures are those of the run.
  vitest.cancelCurrentRun('keyboard-input').catch(() => {});
}

/** Ends the thread of a cancelled run when it is blocked, or when its teardown takes too long. Rejects when the run ends first. */
async function endWorkers(
  vitest: Vitest,
  workers: readonly CheckWorker[],
  clock: Clock,
  ended: AbortSignal,
): Promise<void> {
  const idleMs = (): number | undefined => workers.at(-1)?.idleMs();
  const before = idleMs();
  await clock.sleep(ANSWER_MS, ended);
  const isBlocked = before !== undefined && idleMs() === before;
  if (!isBlocked) await clock.sleep(TEARDOWN_MS, ended);
  // vitest terminates the threads of a run that is cancelled twice.
  cancelRun(vitest);
  await clock.sleep(END_MS, ended);
}

/** A thread that cannot be ended now ends with the process. */
async function close(vitest: Vitest): Promise<void> {
  await endWithin(END_MS, vitest.close(), () => new Error('vitest does not close')).catch(() => {});
}

/**
 * Lists the checks of suites in the order in which they start; runs none.
 *
 * @param options.root of the paths of files
 */
export async function listChecks(options: {
  root: string;
  projects: readonly Pick<CheckProject, 'name' | 'file'>[];
}): Promise<ListedCheck[]> {
  const known = new Map<string, readonly ListedCheck[]>();
  for (const { name, file } of options.projects) {
    const listed = await readList(file, name);
    if (listed) known.set(name, listed);
  }
  const missing = options.projects.filter(({ name }) => !known.has(name));
  if (missing.length > 0) {
    const collected = await collectChecks({ root: options.root, projects: missing });
    for (const { name, file } of missing) {
      const listed = collected.filter(({ suite }) => suite === name);
      known.set(name, listed);
      await writeList(file, name, listed);
    }
  }
  return options.projects.flatMap(({ name }) => known.get(name) ?? []);
}

async function collectChecks(options: Parameters<typeof listChecks>[0]): Promise<ListedCheck[]> {
  const projects = options.projects.map(({ name, file }) => ({ name, file, config: listing(name) }));
  const vitest = await open(
    { root: options.root, projects },
    { reporters: () => [], worker: (pool) => new CheckWorker(pool) },
  );
  try {
    const { testModules, unhandledErrors } = await vitest.collect();
    const errors = [
      ...unhandledErrors.map((error) => messageOf(error)),
      ...testModules.flatMap((m) =>
        m.errors().map((e) => `${relative(options.root, m.moduleId)}: ${e.message}`),
      ),
    ];
    if (errors.length > 0) {
      throw new InfrastructureError('E_COLLECT', `the suites' files failed to load: ${errors.join('; ')}`);
    }
    return testModules.flatMap((module) =>
      [...module.children.allTests()].flatMap((testCase) => {
        const record = testCase.meta().kindproof;
        if (record?.type !== 'check') return [];
        const { check } = record;
        return [{ ...check, suite: testCase.project.name, file: relative(options.root, check.file) }];
      }),
    );
  } finally {
    await close(vitest);
  }
}

function listing(suite: string): WorkerConfig {
  return {
    mode: 'list',
    runId: 'list',
    runDirectory: '',
    suite,
    subject: { chart: '', values: [], set: [], patches: [], reference: true, images: [] },
    secrets: {},
    redact: { values: [] },
  };
}

async function open(
  options: Pick<RunnerOptions, 'root' | 'projects'>,
  {
    reporters,
    worker,
  }: { reporters: (vitest: () => Vitest) => Reporter[]; worker: (pool: PoolOptions) => CheckWorker },
): Promise<Vitest> {
  const order = options.projects.map((p) => p.name);
  // The reporter needs vitest, and createVitest needs the reporter.
  const opened: { vitest?: Vitest } = {};
  const get = (): Vitest => {
    if (!opened.vitest) throw new Error('vitest is not open yet');
    return opened.vitest;
  };
  // vitest installs handlers that exit before teardown: remove only these.
  const before = new Map(EXITING.map((event) => [event, listenersOf(event)]));
  const vitest = await createVitest('test', {
    config: false,
    root: options.root,
    watch: false,
    passWithNoTests: true,
    reporters: reporters(get),
    sequence: { sequencer: sequencerFor(order) },
    maxWorkers: 1,
    projects: options.projects.map((project) => ({
      root: options.root,
      test: {
        name: project.name,
        include: [relative(options.root, project.file)],
        // Compiled files are below node_modules, where Node loads them itself: vite would compile them once more.
        exclude: [],
        provide: { kindproof: project.config },
        // Threads survive a Ctrl+C, which the terminal sends to the whole process group.
        pool: { name: 'checks', createPoolWorker: worker },
        maxConcurrency: CONCURRENCY[project.config.mode],
        hookTimeout: 120_000,
        teardownTimeout: 60_000,
      },
    })),
  });
  opened.vitest = vitest;
  for (const [event, known] of before) {
    for (const listener of listenersOf(event)) {
      if (!known.includes(listener)) process.removeListener(event, listener);
    }
  }
  return vitest;
}

const EXITING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'unhandledRejection'] as const;

/** `as`: the types know the listeners of one event at a time. */
function listenersOf(event: (typeof EXITING)[number]): NodeJS.SignalsListener[] {
  return process.listeners(event as 'SIGINT');
}

function sequencerFor(order: readonly string[]): typeof BaseSequencer {
  return class extends BaseSequencer {
    override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      return Promise.resolve(
        files.toSorted((a, b) => order.indexOf(a.project.name) - order.indexOf(b.project.name)),
      );
    }
  };
}
