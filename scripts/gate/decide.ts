/** From a run's report to the decision about a release. Pure. */
import { EXIT } from '../../harness/core/errors.ts';
import { outcomeOf, plural, shortId, verdictOf } from '../../harness/run/report/verdict.ts';
import type { Report } from '../../harness/run/report/model.ts';

export type GateVerdict = 'release' | 'do not release' | 'no verdict';

export interface Decision {
  verdict: GateVerdict;
  /** Why not; empty for a release. */
  reasons: string[];
}

/**
 * What follows from a run for the release.
 *
 * Only a run that passed everything it was asked for says "release". A run that could not look says "no verdict": the chart is neither
 * good nor bad. A failed check outweighs an outage that came after it, because it has been seen.
 *
 * @param expected what the gate asked for: whether faults had to be put in, and whether the chart is still what was tested
 */
export function decide(report: Report, expected: { proofs: boolean; chartUnchanged: boolean }): Decision {
  const failed = report.checks.filter((check) => check.status === 'failed');
  const uncaught = (report.proofs ?? []).filter((proof) => proof.outcome !== 'caught');
  const reasons = [
    ...failed.map((check) => `${shortId(check)} failed: ${firstLine(check.reason ?? check.title)}`),
    ...uncaught.map((proof) => `fault ${proof.fault} was ${outcomeOf(proof)}: ${firstLine(proof.reason)}`),
  ];
  const { error, exitCode } = report.run;
  if (error && exitCode !== EXIT.checkFailed) {
    const lost = `${firstLine(error.message)} (${error.code})`;
    return reasons.length > 0 && exitCode === EXIT.infrastructure
      ? { verdict: 'do not release', reasons: [...reasons, lost] }
      : { verdict: 'no verdict', reasons: [lost] };
  }
  if (!expected.chartUnchanged) {
    return { verdict: 'no verdict', reasons: ['the chart or its values changed while they were tested'] };
  }
  if (reasons.length > 0) return { verdict: 'do not release', reasons };
  if (report.checks.length === 0) return { verdict: 'no verdict', reasons: ['no check ran'] };
  if (expected.proofs && (report.proofs ?? []).length === 0) {
    return { verdict: 'no verdict', reasons: ['no fault was put in, so nothing shows that the checks see'] };
  }
  const { tone, headline } = verdictOf(report);
  return tone === 'passed'
    ? { verdict: 'release', reasons: [] }
    : { verdict: 'do not release', reasons: [headline] };
}

/** The exit code of the gate: that of the run, unless the decision is another one. */
export function exitCodeOfDecision(decision: Decision, report: Report): number {
  if (decision.verdict === 'release') return EXIT.passed;
  if (decision.verdict === 'do not release') return EXIT.checkFailed;
  const own: readonly number[] = [EXIT.usage, EXIT.interrupted];
  return own.includes(report.run.exitCode) ? report.run.exitCode : EXIT.infrastructure;
}

const SHOWN = 3;

/** One line for a person: `release`, `do not release: why`, `no verdict: why`. */
export function decisionLine({ verdict, reasons }: Decision): string {
  if (reasons.length === 0) return verdict;
  const rest = reasons.length - SHOWN;
  const more = rest > 0 ? `; and ${plural(rest, 'more reason')}` : '';
  return `${verdict}: ${reasons.slice(0, SHOWN).join('; ')}${more}`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
