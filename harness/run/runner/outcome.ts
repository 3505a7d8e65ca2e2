/** How a run ended: exit code and verdict in the report. */
import {
  EXIT,
  exitCodeOf,
  InfrastructureError,
  InterruptedError,
  KindproofError,
  messageOf,
} from '../../core/errors.ts';
import { isCaught, isRed } from '../report/verdict.ts';
import type { TestRun } from './test-run.ts';

/** Writes exit code, verdict and duration into the report. */
export function conclude(run: TestRun, error: unknown): void {
  const { report, options, startedAt } = run;
  report.run.durationMs = Date.now() - startedAt;
  if (error !== undefined) {
    report.run.exitCode = exitCodeOf(error);
    report.run.verdict =
      error instanceof InterruptedError ? 'interrupted' : `no verdict: ${messageOf(error)}`;
    report.run.error = {
      code: error instanceof KindproofError ? error.code : 'E_UNEXPECTED',
      message: messageOf(error),
      ...(error instanceof KindproofError && error.hint !== undefined ? { hint: error.hint } : {}),
    };
    return;
  }
  const proofs = report.proofs ?? [];
  const failed = report.checks.filter(isRed).length;
  const missed = proofs.filter((proof) => !isCaught(proof)).length;
  report.run.exitCode = failed + missed > 0 ? EXIT.checkFailed : EXIT.passed;
  const parts = [
    ...(failed > 0 ? [`${failed} of ${report.checks.length} checks failed`] : []),
    ...(missed > 0 ? [`${missed} of ${proofs.length} faults were not caught`] : []),
  ];
  const passed = options.prove && !options.checks ? 'every fault was caught' : 'passed';
  report.run.verdict = parts.length > 0 ? parts.join(', ') : passed;
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
  // The other reports have to say the same.
  await reporters.write(report, directory);
}
