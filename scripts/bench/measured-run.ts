/** One measured run: the same code as `npm run e2e`, with short output. */
import { join } from 'node:path';
import { CheckFailure, EXIT, InfrastructureError, InterruptedError } from '../../harness/core/errors.ts';
import type { Reporter } from '../../harness/run/report/reporter.ts';
import type { Report } from '../../harness/run/report/model.ts';
import { startRun } from '../e2e/start-run.ts';
import { planFromArguments } from '../plan-from-arguments.ts';
import { runsDirectory } from '../project.ts';
import { readReport } from '../read-report.ts';

export interface MeasuredRunDeps {
  signal: AbortSignal;
  /** One line about the current step. */
  onProgress: (text: string) => void;
}

/**
 * Runs to the end and returns the report.
 *
 * @throws CheckFailure or InfrastructureError `E_BENCH_RUN` when the run did not pass, because its times are meaningless
 */
export async function measuredRun(argv: readonly string[], deps: MeasuredRunDeps): Promise<Report> {
  const { options, plan } = await planFromArguments(argv);
  const runDirectory = join(runsDirectory, plan.runId);
  const commandLine = ['npm run e2e --', ...argv].join(' ');
  const reporters = [phaseReporter(deps.onProgress)];
  await startRun({ options, plan, commandLine, reporters, signal: deps.signal });
  const report = await readReport(runDirectory);
  const { exitCode, verdict } = report.run;
  if (exitCode === EXIT.passed) return report;
  if (exitCode === EXIT.interrupted) throw new InterruptedError();
  const Failure = exitCode === EXIT.checkFailed ? CheckFailure : InfrastructureError;
  throw new Failure(
    'E_BENCH_RUN',
    `\`${commandLine}\` did not pass (${verdict}), so its times are meaningless`,
    {
      hint: `See ${join('runs', plan.runId, 'report.html')}, then measure again.`,
    },
  );
}

function phaseReporter(onProgress: (text: string) => void): Reporter {
  return {
    name: 'phases',
    onEvent(event) {
      if (event.type === 'phase-ended')
        onProgress(`  ${event.name}  ${(event.durationMs / 1000).toFixed(1)} s`);
      if (event.type === 'notice') onProgress(`  ! ${event.text}`);
    },
  };
}
