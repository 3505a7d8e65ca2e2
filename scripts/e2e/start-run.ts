/** Starts a run: puts the project's folders together with the harness, which must not import them. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { acquireRunLock } from '../../clusters/cleanup/run-lock.ts';
import { busyboxImage } from '../../fixtures/images/build.ts';
import type { ExitCode } from '../../harness/core/errors.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import type { RunPlan } from '../../harness/run/plan/plan.ts';
import { htmlReporter } from '../../harness/run/report/html/html.ts';
import { jsonReporter } from '../../harness/run/report/json.ts';
import { junitReporter } from '../../harness/run/report/junit/junit.ts';
import type { Reporter } from '../../harness/run/report/reporter.ts';
import type { RunProject } from '../../harness/run/runner/ports.ts';
import { executeRun } from '../../harness/run/runner/run.ts';
import { askYesNo } from '../ask.ts';
import { leftoversForPreflight } from '../machine-leftovers.ts';
import { cacheDirectory, projectRoot, runsDirectory } from '../project.ts';
import { existingRunCluster } from './existing-cluster.ts';
import { kindRunCluster } from './kind-cluster.ts';
import { listRequirements } from './requirements.ts';
import { saveOptions } from './saved-options.ts';

export interface RunRequest {
  options: RunOptions;
  plan: RunPlan;
  /** As the user typed it. */
  commandLine: string;
  /** Show the run; the report files are written in any case. */
  reporters: readonly Reporter[];
  signal: AbortSignal;
}

/**
 * Runs a plan in the run's directory, which is locked meanwhile.
 *
 * @throws UsageError `E_RUN_DIRECTORY_BUSY` when another run uses the directory
 */
export async function startRun(request: RunRequest): Promise<ExitCode> {
  const { options, plan, commandLine, reporters, signal } = request;
  const directory = resolve(options.out ?? join(runsDirectory, plan.runId));
  await mkdir(directory, { recursive: true });
  // By the plan's id, which is on everything that the run creates; with --out the folder has another name.
  const lock = await acquireRunLock(directory, { run: plan.runId });
  try {
    await saveOptions(directory, options);
    const about = { options, plan, directory, lock };
    return await executeRun({
      options,
      plan,
      directory,
      signal,
      project: project(commandLine),
      cluster: options.cluster === 'existing' ? existingRunCluster(about) : kindRunCluster(about),
      reporters: [jsonReporter, junitReporter, htmlReporter, ...reporters],
    });
  } finally {
    await lock.release();
  }
}

function project(commandLine: string): RunProject {
  return {
    root: projectRoot,
    cacheDirectory,
    commandLine,
    checksFile: join(projectRoot, 'suites', 'checks.e2e.ts'),
    proofsFile: join(projectRoot, 'suites', 'prove.e2e.ts'),
    probeImages: [busyboxImage],
    earlierRuns: ({ command, log, signal }) => leftoversForPreflight(command, log, signal),
    confirm: askYesNo,
    async requirementRows(plan) {
      const suites = [...plan.suites.map((s) => s.definition.name), 'all'];
      const rows = await listRequirements({ suites, requirements: [] });
      return rows.filter((row) => row.suite !== 'all' || row.checks.length > 0);
    },
  };
}
