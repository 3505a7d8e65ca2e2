/** One run of the harness whose times are to be taken: the same code as `npm run e2e`, but quiet. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireRunLock } from '../../clusters/run-lock.ts';
import { CheckFailure, EXIT, InfrastructureError, InterruptedError } from '../../harness/core/errors.ts';
import type { RunObserver } from '../../harness/run/report/events.ts';
import { report as reportSchema, type Report } from '../../harness/run/report/model.ts';
import { executeRun } from '../../harness/run/runner/run.ts';
import { createPorts } from '../e2e/ports.ts';
import { planFromArguments } from '../plan-from-arguments.ts';
import { runsDirectory } from '../project.ts';

export interface MeasuredRunDeps {
  signal: AbortSignal;
  /** Told what goes on, one line at a time. */
  onProgress: (text: string) => void;
}

/**
 * Runs to the end and returns the report.
 *
 * @throws CheckFailure or InfrastructureError `E_BENCH_RUN` when the run did not pass: its times would mean nothing
 */
export async function measuredRun(argv: readonly string[], deps: MeasuredRunDeps): Promise<Report> {
  const { options, plan } = await planFromArguments(argv);
  const runDirectory = join(runsDirectory, plan.runId);
  const lock = await acquireRunLock(runDirectory);
  const commandLine = ['npm run e2e --', ...argv].join(' ');
  const observers = [phaseObserver(deps.onProgress)];
  try {
    await executeRun({
      options,
      plan,
      runDirectory,
      signal: deps.signal,
      ports: createPorts({ options, plan, observers, commandLine, lock }),
    });
  } finally {
    await lock.release();
  }
  const report = await readReport(runDirectory);
  const { exitCode, verdict } = report.run;
  if (exitCode === EXIT.passed) return report;
  if (exitCode === EXIT.interrupted) throw new InterruptedError();
  const Failure = exitCode === EXIT.checkFailed ? CheckFailure : InfrastructureError;
  throw new Failure(
    'E_BENCH_RUN',
    `\`${commandLine}\` did not pass (${verdict}), so its times mean nothing`,
    {
      hint: `Look at ${join('runs', plan.runId, 'report.html')}, then measure again.`,
    },
  );
}

/** report.json of a run directory. */
export async function readReport(runDirectory: string): Promise<Report> {
  return reportSchema.parse(JSON.parse(await readFile(join(runDirectory, 'report.json'), 'utf8')));
}

function phaseObserver(onProgress: (text: string) => void): RunObserver {
  return {
    onEvent(event) {
      if (event.type === 'phase-ended')
        onProgress(`  ${event.name}  ${(event.durationMs / 1000).toFixed(1)} s`);
      if (event.type === 'notice') onProgress(`  ! ${event.text}`);
    },
  };
}
