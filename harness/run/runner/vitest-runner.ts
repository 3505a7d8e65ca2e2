/** Runs the checks of the chosen suites with vitest, in worker threads. */
import { relative } from 'node:path';
import { BaseSequencer, createVitest, type Reporter, type TestSpecification, type Vitest } from 'vitest/node';
import { InfrastructureError, messageOf } from '../../core/errors.ts';
import { CHECK_TAGS } from '../plan/tags.ts';
import type { Check } from '../suite/check.ts';
import type { WorkerConfig } from '../suite/worker-config.ts';
import type { CheckListener, RunnerSummary } from './result-reporter.ts';
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
  tags?: string | undefined;
  signal: AbortSignal;
  listener: CheckListener;
}

/**
 * Runs all projects one after the other.
 *
 * @throws InfrastructureError when vitest itself cannot start
 */
export async function runChecks(options: RunnerOptions): Promise<RunnerSummary> {
  const isAborted = (): boolean => options.signal.aborted;
  const summary: RunnerSummary = { errors: [], interrupted: false };
  const vitest = await open(options, (v) => [resultReporter(options, summary, v)]);
  const cancel = (): void => {
    summary.interrupted = true;
    void vitest.cancelCurrentRun('keyboard-input');
  };
  options.signal.addEventListener('abort', cancel, { once: true });
  try {
    // vitest cannot cancel a run that has not started.
    if (isAborted()) return { ...summary, interrupted: true };
    const run = await vitest.start();
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
    options.signal.removeEventListener('abort', cancel);
    await vitest.close();
  }
  return summary;
}

/** Lists the checks that the projects' files declare; runs none. */
export async function listChecks(
  options: Pick<RunnerOptions, 'root' | 'projects'>,
): Promise<(Pick<Check, 'id' | 'file' | 'requirements' | 'title'> & { suite: string })[]> {
  const vitest = await open(options, () => []);
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
    await vitest.close();
  }
}

async function open(
  options: Pick<RunnerOptions, 'root' | 'projects'> & Partial<RunnerOptions>,
  reporters: (vitest: () => Vitest) => Reporter[],
): Promise<Vitest> {
  const order = options.projects.map((p) => p.name);
  // A filter may only name tags that are declared.
  const tags = [...new Set([...CHECK_TAGS, ...options.projects.map((p) => p.config.suite)])].map((name) => ({
    name,
  }));
  // The reporter needs vitest, and createVitest needs the reporter.
  const opened: { vitest?: Vitest } = {};
  const get = (): Vitest => {
    if (!opened.vitest) throw new Error('vitest is not open yet');
    return opened.vitest;
  };
  // vitest installs signal handlers that exit before teardown: remove only these.
  const before = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal)]));
  const vitest = await createVitest('test', {
    config: false,
    root: options.root,
    watch: false,
    passWithNoTests: true,
    reporters: reporters(get),
    ...(options.tags === undefined ? {} : { tagsFilter: [options.tags] }),
    tags,
    sequence: { sequencer: sequencerFor(order) },
    maxWorkers: 1,
    projects: options.projects.map((project) => ({
      root: options.root,
      test: {
        name: project.name,
        include: [relative(options.root, project.file)],
        provide: { kindproof: project.config },
        // Threads survive a Ctrl+C, which the terminal sends to the whole process group.
        pool: 'threads' as const,
        maxConcurrency: CONCURRENCY[project.config.mode],
        hookTimeout: 120_000,
        teardownTimeout: 60_000,
        strictTags: false,
        tags,
      },
    })),
  });
  opened.vitest = vitest;
  for (const [signal, known] of before) {
    for (const listener of process.listeners(signal)) {
      if (!known.includes(listener)) process.removeListener(signal, listener);
    }
  }
  return vitest;
}

/** Concurrent tests: they mostly wait for Kubernetes. A proof has three replicas of its own; more are too slow on two cores. */
const CONCURRENCY = { list: 1, check: 8, prove: 5 } as const;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function sequencerFor(order: readonly string[]): typeof BaseSequencer {
  return class extends BaseSequencer {
    override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      return Promise.resolve(
        files.toSorted((a, b) => order.indexOf(a.project.name) - order.indexOf(b.project.name)),
      );
    }
  };
}
