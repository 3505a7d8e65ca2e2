/** Starts a run: puts the project's folders together with the harness, which must not import them. */
import { join, resolve } from 'node:path';
import { acquireRunLock } from '../../clusters/cleanup/run-lock.ts';
import { busyboxImage } from '../../fixtures/images/build.ts';
import type { ExitCode } from '../../harness/core/errors.ts';
import { makePrivateFolder } from '../../harness/core/private-files.ts';
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
import { cacheDirectory, checksFile, projectRoot, proofsFile, runsDirectory } from '../project.ts';
import { existingRunCluster } from './existing-cluster.ts';
import { kindRunCluster } from './kind-cluster.ts';
import { pruneRuns } from './prune-runs.ts';
import { requirementRows } from './requirements.ts';
import { saveOptions } from './saved-options.ts';

export interface RunRequest {
  options: RunOptions;
  plan: RunPlan;
  /** As the user typed it, with masked credentials. */
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
  await makePrivateFolder(directory);
  // By the plan's id, which is on everything that the run creates; with --out the folder has another name.
  const lock = await acquireRunLock(directory, { run: plan.runId });
  try {
    await saveOptions(directory, options);
    // The run does not depend on it.
    await pruneRuns({ runsDir: runsDirectory, keep: options.keepRuns }).catch(() => []);
    const about = { options, plan, directory, lock };
    return await executeRun({
      options,
      plan,
      directory,
      signal,
      project: project(commandLine),
      cluster: options.cluster === 'existing' ? existingRunCluster(about) : kindRunCluster(about),
      // report.json comes last: a reader that finds it finds the others.
      reporters: [junitReporter, htmlReporter, jsonReporter, ...reporters],
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
    checksFile,
    proofsFile,
    probeImages: [busyboxImage],
    earlierRuns: ({ command, log, signal }) => leftoversForPreflight(command, log, signal),
    confirm: askYesNo,
    requirementRows: (plan, declared) =>
      requirementRows(
        plan.suites.map(({ definition }) => definition),
        declared,
      ),
  };
}
