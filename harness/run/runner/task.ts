/** Tasks: the phases of a run, each with a setup and the teardown that undoes it. */
import { setMaxListeners } from 'node:events';
import { createCommandRunner } from '../../core/command.ts';
import { messageOf } from '../../core/errors.ts';
import type { Step } from './step.ts';
import type { TestRun } from './test-run.ts';

const TAKE_DOWN = 'take down';

export interface Task {
  /** Name of the phase in terminal and report: `load images`. */
  title: string;
  /** `false`: the task is left out. */
  when?(run: TestRun): boolean;
  setup(run: TestRun, step: Step): Promise<void>;
  /**
   * Undoes the setup. Registered before the setup starts and called on every exit path, also when the setup failed half-way; with a
   * signal of its own, so that an interruption does not stop it.
   */
  teardown?(run: TestRun, step: Step): Promise<void>;
}

/** Tasks in order; an array of branches runs its branches at the same time. */
export type TaskList = readonly (Task | readonly TaskList[])[];

/**
 * Runs the setups. After the first failure no further task starts, and branches that run at the same time are aborted and awaited.
 *
 * @throws whatever failed first
 */
export async function setUp(run: TestRun, tasks: TaskList, signal: AbortSignal = run.signal): Promise<void> {
  for (const entry of tasks) {
    if (isTask(entry)) await setUpTask(run, entry, signal);
    else await setUpBranches(run, entry, signal);
  }
}

function isTask(entry: Task | readonly TaskList[]): entry is Task {
  return !Array.isArray(entry);
}

async function setUpTask(run: TestRun, task: Task, signal: AbortSignal): Promise<void> {
  const { title } = task;
  if (task.when?.(run) === false) return;
  if (task.teardown) {
    run.lifecycle.defer(`take down ${title}`, () =>
      task.teardown?.(run, stepOf(run, title, new AbortController().signal)),
    );
  }
  await phase(run, title, () => task.setup(run, stepOf(run, title, signal)));
}

async function setUpBranches(
  run: TestRun,
  branches: readonly TaskList[],
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  const stop = new AbortController();
  const joined = AbortSignal.any([signal, stop.signal]);
  // Every command and wait of several tasks listens to it.
  setMaxListeners(0, joined);
  await Promise.allSettled(
    branches.map((branch) =>
      setUp(run, branch, joined).catch((error: unknown) => {
        failures.push(error);
        stop.abort(error);
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}

/**
 * Undoes everything that was set up, in reverse order, then looks for leftovers. Failures are reported, never thrown. A failed undo counts
 * as a leftover, and so does an unknown: a run that may have left something must not look clean.
 */
export async function takeDown(run: TestRun): Promise<void> {
  const step = stepOf(run, TAKE_DOWN, new AbortController().signal);
  const left: string[] = [];
  run.report.leftovers = left;
  const failed = (what: string): void => {
    left.push(what);
    run.warn(what, 'Run `npm run sweep`.');
  };
  try {
    await phase(run, TAKE_DOWN, async () => {
      const failures = await run.lifecycle.close(step.onProgress);
      for (const { title, error } of failures) failed(`failed to ${title}: ${messageOf(error)}`);
      left.push(...(await leftovers(run, step)));
    });
  } catch (error) {
    failed(`failed to look for leftovers: ${messageOf(error)}`);
  }
}

async function leftovers(run: TestRun, step: Step): Promise<string[]> {
  // Before preflight has passed nothing was created, and the engine may not run.
  const isReady = run.report.phases.some((p) => p.name === 'preflight' && p.status === 'passed');
  return isReady ? run.provider.leftovers(step) : [];
}

function stepOf(run: TestRun, title: string, signal: AbortSignal): Step {
  const { log } = run;
  return {
    command: createCommandRunner({ log, signal }),
    log,
    signal,
    warn: (text, hint) => run.warn(text, hint),
    onProgress: (text) => {
      log.debug('progress', { name: title, text });
      run.emit({ type: 'phase-progress', name: title, text });
    },
  };
}

/** Reports a phase with its duration. */
async function phase(run: TestRun, name: string, body: () => Promise<void>): Promise<void> {
  const startedAt = Date.now();
  const ended = (status: 'passed' | 'failed'): void => {
    const durationMs = Date.now() - startedAt;
    run.runningTasks.delete(name);
    run.report.phases.push({ name, startedAt: new Date(startedAt).toISOString(), durationMs, status });
    run.log.info('phase ended', { name, durationMs, status });
    run.emit({ type: 'phase-ended', name, durationMs, status });
  };
  run.runningTasks.add(name);
  run.emit({ type: 'phase-started', name });
  try {
    await body();
    ended('passed');
  } catch (error) {
    ended('failed');
    throw error;
  }
}
