/** One run, from the plan to the exit code. TASKS is the path of a run; each task has a file in `tasks/`. */
import { join } from 'node:path';
import { inspect } from 'node:util';
import { endWithin, orInterrupted, seconds, systemClock } from '../../core/deadline.ts';
import { InterruptedError, messageOf, UsageError, type ExitCode } from '../../core/errors.ts';
import { observeStalls, type StallObserver } from '../../observe/stalls/observe-stalls.ts';
import { joinStalls } from '../../observe/stalls/stall-log.ts';
import type { RequirementRow } from '../report/model.ts';
import { conclude, writeReports } from './outcome.ts';
import { redactFiles } from './redact-files.ts';
import { setUp, takeDown, type TaskList } from './task.ts';
import { checks } from './tasks/checks.ts';
import { createCluster, openExistingCluster, prepareCluster } from './tasks/cluster.ts';
import { loadImages, prepareAllImages } from './tasks/images.ts';
import { preflight } from './tasks/preflight.ts';
import { selection } from './tasks/selection.ts';
import { subjects } from './tasks/subjects.ts';
import { tools } from './tasks/tools.ts';
import { TestRun, type RunSettings } from './test-run.ts';
import { readTimelines } from './timelines.ts';

/** In this order; the branches of an inner list run at the same time. */
const TASKS: TaskList = [
  selection,
  openExistingCluster,
  preflight,
  // On a bare machine both take minutes.
  [[prepareCluster], [tools, subjects]],
  [[createCluster], [prepareAllImages]],
  loadImages,
  checks,
];

/** Longer than a task needs to end after an interruption, the checks included. */
const STUCK_MS = 300_000;

/** Never throws: exit code and report say how the run ended. Everything is taken down on every exit path. */
export function executeRun(settings: RunSettings): Promise<ExitCode> {
  return runTasks(settings, TASKS);
}

/** Like `executeRun`, with tasks of the caller's choice. */
export async function runTasks(settings: RunSettings, tasks: TaskList): Promise<ExitCode> {
  const run = new TestRun(settings);
  const { report, directory, signal } = run;
  run.emit({ type: 'run-started', runId: run.plan.runId, directory, command: report.run.command });
  // Before everything else that listens, so that it knows what was running.
  const onInterrupt = (): void => announceInterruption(run);
  signal.addEventListener('abort', onInterrupt, { once: true });

  const machine = observeStalls({ clock: systemClock, log: run.log });
  const error = await failureOf(run, tasks);
  report.timelines = await readTimelines(report, directory).catch((failure: unknown) => {
    run.warn(`the timelines are missing: ${messageOf(failure)}`);
    return [];
  });
  await takeDown(run);
  await machine.stop();
  reportStalls(run, machine);
  await redactEarlierFiles(run);
  announceKeptCluster(run);
  conclude(run, error);
  const isQuick = error instanceof UsageError || error instanceof InterruptedError;
  report.requirements = isQuick ? [] : await requirementRows(run);
  await writeReports(run);
  run.emit({ type: 'run-ended', report, directory });
  run.reporters.close();
  signal.removeEventListener('abort', onInterrupt);
  return report.run.exitCode as ExitCode;
}

function announceInterruption(run: TestRun): void {
  const { failure, message } = run.interruption();
  const rest = 'ends at once and leaves the rest to `npm run sweep`.';
  if (failure) run.warn(`${message}: taking down`, `Ctrl+C twice ${rest}`);
  else run.warn('interrupted: taking down', `A second Ctrl+C ${rest}`);
}

/** The same stall may have been observed here and by several checks. */
function reportStalls({ report, stalls }: TestRun, { log }: StallObserver): void {
  const all = joinStalls([...log.stalls(), ...stalls]);
  if (all.length > 0) report.stalls = all;
}

async function requirementRows(run: TestRun): Promise<RequirementRow[]> {
  if (!run.selection) return [];
  try {
    return await run.project.requirementRows(run.plan, run.selection.declared);
  } catch (error) {
    run.warn(`the table of requirements is missing: ${messageOf(error)}`);
    return [];
  }
}

async function failureOf(run: TestRun, tasks: TaskList): Promise<unknown> {
  try {
    await setUpUntilInterrupted(run, tasks);
    return undefined;
  } catch (caught) {
    const error = run.signal.aborted ? run.interruption() : caught;
    // With the stack of its cause.
    run.log.error('run failed', { error: inspect(error) });
    return error;
  }
}

/**
 * After an interruption, awaits the tasks that are running, so that nothing is taken down that is still being set up. One that does not end
 * must not prevent the teardown: what it waits for may be lost.
 *
 * @throws InterruptedError; whatever failed first
 */
async function setUpUntilInterrupted(run: TestRun, tasks: TaskList): Promise<void> {
  const work = setUp(run, tasks);
  try {
    await orInterrupted(work, run.signal);
  } catch (error) {
    const ended = work.catch(() => {});
    await endWithin(STUCK_MS, ended, () => new Error('stuck'), run.clock).catch(() => {
      const names = [...run.runningTasks].join(', ');
      run.warn(`${names}: still not ended ${seconds(STUCK_MS)} after the interruption; taking down anyway`);
    });
    throw error;
  }
}

/** What was written before a secret was known. The reports are redacted as they are written. */
async function redactEarlierFiles(run: TestRun): Promise<void> {
  if (!run.learnedLate) return;
  const skipped = await redactFiles(run.directory, run.redactor.redact).catch(() => ['any file']);
  if (skipped.length === 0) return;
  run.warn(
    `not searched again for secrets that became known late: ${skipped.join(', ')}`,
    'Look through these files before you publish them.',
  );
}

function announceKeptCluster(run: TestRun): void {
  const { cluster } = run.report;
  if (!cluster || !run.keepsCluster) return;
  run.emit({
    type: 'notice',
    level: 'info',
    text: `cluster ${cluster.name} is kept; to use it: export KUBECONFIG=${join(run.directory, 'kubeconfig')}`,
    hint: `Reuse it with --reuse, which removes what is installed; remove it with \`npm run sweep -- --run ${cluster.name}\`.`,
  });
}
