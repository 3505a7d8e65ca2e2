/** How a run ended: error, exit code and verdict in the report. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodeOf, InfrastructureError, KindproofError, messageOf } from '../../core/errors.ts';
import { noVerdict } from '../report/completeness.ts';
import { jsonReporter } from '../report/json.ts';
import { verdictOf } from '../report/verdict.ts';
import type { TestRun } from './test-run.ts';

/**
 * Writes error, exit code, verdict and duration into the report.
 *
 * @param error what ended the run early; without one, the results may still amount to no verdict
 */
export function conclude(run: Pick<TestRun, 'report' | 'startedAt'>, error: unknown): void {
  const { report, startedAt } = run;
  report.run.durationMs = Date.now() - startedAt;
  if (error === undefined) {
    const none = noVerdict(report);
    if (none) report.run.error = none;
  } else {
    report.run.exitCode = exitCodeOf(error);
    report.run.error = {
      code: error instanceof KindproofError ? error.code : 'E_UNEXPECTED',
      message: messageOf(error),
      ...(error instanceof KindproofError && error.hint !== undefined ? { hint: error.hint } : {}),
    };
  }
  const { exitCode, text } = verdictOf(report);
  report.run.exitCode = exitCode;
  report.run.verdict = text;
}

/** Writes all report files. A run whose report is missing has no verdict: without evidence it cannot be called passed. */
export async function writeReports(run: TestRun): Promise<void> {
  const { reporters, report, directory } = run;
  const failures = await reporters.write(report, directory);
  const [first] = failures;
  if (!first) return;
  for (const { message, hint } of failures) run.warn(message, hint);
  if (report.run.error) return;
  conclude(run, new InfrastructureError(first.code, first.message, { hint: first.hint }));
  // The other reports have to say the same. A report.json that cannot be written again would still say what it said before.
  const again = await reporters.write(report, directory);
  if (again.some(({ name }) => name === jsonReporter.name)) {
    await rm(join(directory, 'report.json'), { force: true }).catch(() => undefined);
  }
}
