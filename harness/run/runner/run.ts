/** One run, from the plan to the exit code. TASKS is the path of a run; each task has a file in `tasks/`. */
import { join } from 'node:path';
import { InterruptedError, messageOf, UsageError, type ExitCode } from '../../core/errors.ts';
import { conclude, writeReports } from './outcome.ts';
import { setUp, takeDown, type TaskList } from './task.ts';
import { checks } from './tasks/checks.ts';
import { createCluster, openExistingCluster, prepareCluster } from './tasks/cluster.ts';
import { loadImages, prepareAllImages } from './tasks/images.ts';
import { preflight } from './tasks/preflight.ts';
import { subjects } from './tasks/subjects.ts';
import { tools } from './tasks/tools.ts';
import { TestRun, type RunSettings } from './test-run.ts';
import { readTimelines } from './timelines.ts';

/** In this order; the branches of an inner list run at the same time. */
const TASKS: TaskList = [
  openExistingCluster,
  preflight,
  // On a bare machine both take minutes.
  [[prepareCluster], [tools, subjects]],
  [[createCluster], [prepareAllImages]],
  loadImages,
  checks,
];

/** Never throws: exit code and report say how the run ended. Everything is taken down on every exit path. */
export function executeRun(settings: RunSettings): Promise<ExitCode> {
  return runTasks(settings, TASKS);
}

/** Like `executeRun`, with tasks of the caller's choice. */
export async function runTasks(settings: RunSettings, tasks: TaskList): Promise<ExitCode> {
  const run = new TestRun(settings);
  const { report, directory, signal } = run;
  run.emit({ type: 'run-started', runId: run.plan.runId, directory, command: report.run.command });
  const onInterrupt = (): void =>
    run.warn(
      'interrupted: taking down',
      'A second Ctrl+C ends at once and leaves the rest to `npm run sweep`.',
    );
  signal.addEventListener('abort', onInterrupt, { once: true });

  const error = await failureOf(run, tasks);
  report.timelines = await readTimelines(report, directory).catch((failure: unknown) => {
    run.warn(`the timelines are missing: ${messageOf(failure)}`);
    return [];
  });
  await takeDown(run);
  announceKeptCluster(run);
  conclude(run, error);
  // Collecting the table takes seconds: not for wrong usage, nor after an interruption.
  const isQuick = error instanceof UsageError || error instanceof InterruptedError;
  report.requirements = isQuick ? [] : await run.project.requirementRows(run.plan).catch(() => []);
  await writeReports(run);
  run.emit({ type: 'run-ended', report, directory });
  run.reporters.close();
  signal.removeEventListener('abort', onInterrupt);
  return report.run.exitCode as ExitCode;
}

async function failureOf(run: TestRun, tasks: TaskList): Promise<unknown> {
  try {
    await setUp(run, tasks);
    return undefined;
  } catch (caught) {
    run.log.error('run failed', {
      error: caught instanceof Error ? (caught.stack ?? caught.message) : String(caught),
    });
    return run.signal.aborted ? run.interruption() : caught;
  }
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
