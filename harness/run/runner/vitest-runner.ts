/** vitest as a library: runs the checks of the chosen suites in worker threads and reports what they say. */
import { relative } from 'node:path';
import {
  createVitest,
  type Reporter,
  type TestCase,
  type TestModule,
  type TestSpecification,
  type Vitest,
} from 'vitest/node';
import { BaseSequencer } from 'vitest/node';
import { InfrastructureError, messageOf } from '../../core/errors.ts';
import { CHECK_TAGS } from '../plan/tags.ts';
import type { CapabilityResult } from '../../kube/cluster/cluster.ts';
import type { CheckOutcome } from '../suite/execute-check.ts';
import type { WorkerConfig } from '../suite/worker-config.ts';
import type { CheckResult, Proof } from '../report/model.ts';
import type { Check } from '../suite/check.ts';

/** One vitest project: the checks of one suite, or the proofs of its faults. */
export interface CheckProject {
  name: string;
  /** Absolute path of the file that declares them. */
  file: string;
  config: WorkerConfig;
}

export interface CheckListener {
  onStart(check: Pick<Check, 'id' | 'title'>, suite: string): void;
  onCheck(result: CheckResult): void;
  onCapabilities(proven: readonly CapabilityResult[]): void;
  onProof(proof: Proof): void;
}

export interface RunnerOptions {
  root: string;
  projects: readonly CheckProject[];
  tags?: string | undefined;
  signal: AbortSignal;
  listener: CheckListener;
}

/** Something failed that is no check: a file that cannot be loaded, an error outside of any check. */
export interface RunnerVerdict {
  infrastructure?: CheckOutcome['infrastructure'];
  /** Files that could not be loaded and errors outside of checks: bugs of the suite. */
  errors: string[];
  interrupted: boolean;
}

/**
 * Runs all projects one after the other.
 *
 * @throws InfrastructureError when vitest itself cannot start
 */
export async function runChecks(options: RunnerOptions): Promise<RunnerVerdict> {
  const isAborted = (): boolean => options.signal.aborted;
  const verdict: RunnerVerdict = { errors: [], interrupted: false };
  const vitest = await open(options, (v) => [reporter(options, verdict, v)]);
  const cancel = (): void => {
    verdict.interrupted = true;
    void vitest.cancelCurrentRun('keyboard-input');
  };
  options.signal.addEventListener('abort', cancel, { once: true });
  try {
    // A run that has not begun cannot be cancelled in vitest: it must not begin.
    if (isAborted()) return { ...verdict, interrupted: true };
    const run = await vitest.start();
    verdict.errors.push(...run.unhandledErrors.map((error) => messageOf(error)));
    for (const module of run.testModules) {
      for (const error of module.errors()) {
        verdict.errors.push(`${relative(options.root, module.moduleId)}: ${error.message}`);
      }
    }
    const seen = new Set(run.testModules.map((module) => module.project.name));
    for (const { name, file } of options.projects) {
      if (seen.has(name) || verdict.interrupted || verdict.infrastructure) continue;
      verdict.errors.push(`${relative(options.root, file)}: there is no such file`);
    }
  } finally {
    options.signal.removeEventListener('abort', cancel);
    await vitest.close();
  }
  return verdict;
}

/** The checks that the projects' files declare, without running any. */
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
      throw new InfrastructureError('E_COLLECT', `the suites' files could not be read: ${errors.join('; ')}`);
    }
    return testModules.flatMap((module) =>
      [...module.children.allTests()].flatMap((testCase) => {
        const check = testCase.meta().kindproofCheck;
        return check
          ? [{ ...check, suite: testCase.project.name, file: relative(options.root, check.file) }]
          : [];
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
  // A filter may only name tags that the configuration has.
  const tags = [...new Set([...CHECK_TAGS, ...options.projects.map((p) => p.config.suite)])].map((name) => ({
    name,
  }));
  // The reporter needs vitest, and vitest is made with the reporter.
  const opened: { vitest?: Vitest } = {};
  const get = (): Vitest => {
    if (!opened.vitest) throw new Error('vitest is not open yet');
    return opened.vitest;
  };
  // vitest installs handlers that end the process on a signal, before anything is taken down: remove just those.
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
        // Threads survive a Ctrl+C that the terminal sends to the whole process group.
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

/** Side by side in one worker: they mostly wait for Kubernetes. A proof has three replicas of its own. More would be late on two cores. */
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

function reporter(options: RunnerOptions, verdict: RunnerVerdict, vitest: () => Vitest): Reporter {
  const { listener, root } = options;
  return {
    onTestCaseReady(testCase: TestCase) {
      const check = testCase.meta().kindproofCheck;
      if (check && testCase.meta().kindproofUnselected !== true)
        listener.onStart(check, testCase.project.name);
    },
    onTestCaseResult(testCase: TestCase) {
      const meta = testCase.meta();
      // What a lost cluster makes of the checks that were under way says nothing.
      if (meta.kindproofUnselected === true || verdict.infrastructure) return;
      const outcome = meta.kindproofOutcome;
      if (outcome?.capabilities) listener.onCapabilities(outcome.capabilities);
      if (outcome?.infrastructure) {
        verdict.infrastructure = outcome.infrastructure;
        // The rest would only fail in the same way.
        void vitest().cancelCurrentRun('test-failure');
        return;
      }
      if (meta.kindproofProof) {
        listener.onProof(meta.kindproofProof);
        return;
      }
      const state = testCase.result();
      const diedOfItself = state.state === 'failed' && !verdict.interrupted;
      if (outcome && !(diedOfItself && outcome.result.status === 'passed')) {
        listener.onCheck({ ...outcome.result, file: relative(root, outcome.result.file) });
        return;
      }
      if (!diedOfItself) return;
      // It died outside of our own handling: a timeout of vitest, a bug of the harness.
      const reason = state.errors.map((e) => e.message).join('; ');
      const durationMs = testCase.diagnostic()?.duration ?? 0;
      if (meta.kindproofFault) {
        listener.onProof({
          ...meta.kindproofFault,
          outcome: 'missed',
          reason: `the proof could not be made: ${reason}`,
          durationMs,
        });
      }
      if (!meta.kindproofCheck) return;
      listener.onCheck({
        id: meta.kindproofCheck.id,
        suite: testCase.project.name,
        file: relative(root, meta.kindproofCheck.file),
        title: meta.kindproofCheck.title,
        requirements: [...meta.kindproofCheck.requirements],
        status: 'errored',
        namespaces: [],
        durationMs,
        assertions: 0,
        observed: [],
        reason,
        startedAt: new Date(testCase.diagnostic()?.startTime ?? Date.now()).toISOString(),
      });
    },
    onTestRunEnd(_modules: readonly TestModule[], _errors, reason) {
      if (reason === 'interrupted' && !verdict.infrastructure) verdict.interrupted = true;
    },
  };
}
