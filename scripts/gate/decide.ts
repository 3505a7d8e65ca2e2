/** Decides from a run's report whether to release. Pure. */
import { EXIT } from '../../harness/core/errors.ts';
import { count, firstLine } from '../../harness/core/wording.ts';
import { isCaught, verdictOf } from '../../harness/run/report/verdict.ts';
import { outcomeOf, shortId } from '../../harness/run/report/wording.ts';
import type { Report } from '../../harness/run/report/model.ts';

export type GateDecision = 'release' | 'do not release' | 'no verdict';

export interface Decision {
  decision: GateDecision;
  /** Why not; empty for a release. */
  reasons: string[];
}

/**
 * Only a run that passed everything it was asked for leads to "release". A run that could not test everything leads to "no verdict". A
 * failed check outweighs a later infrastructure error: the failure is a fact.
 *
 * @param expected whether faults had to be proven, and whether the chart is still the tested one
 */
export function decide(report: Report, expected: { proofs: boolean; chartUnchanged: boolean }): Decision {
  const failed = report.checks.filter((check) => check.status === 'failed');
  const uncaught = (report.proofs ?? []).filter((proof) => !isCaught(proof));
  const reasons = [
    ...failed.map((check) => `${shortId(check)} failed: ${firstLine(check.reason ?? check.title)}`),
    ...uncaught.map((proof) => `fault ${proof.fault} was ${outcomeOf(proof)}: ${firstLine(proof.reason)}`),
  ];
  const { error, exitCode } = report.run;
  if (error && exitCode !== EXIT.checkFailed) {
    const lost = `${firstLine(error.message)} (${error.code})`;
    return reasons.length > 0 && exitCode === EXIT.infrastructure
      ? { decision: 'do not release', reasons: [...reasons, lost] }
      : { decision: 'no verdict', reasons: [lost] };
  }
  if (!expected.chartUnchanged) {
    return { decision: 'no verdict', reasons: ['the chart or its values changed during the run'] };
  }
  if (reasons.length > 0) return { decision: 'do not release', reasons };
  if (report.checks.length === 0) return { decision: 'no verdict', reasons: ['no check ran'] };
  if (expected.proofs && (report.proofs ?? []).length === 0) {
    return {
      decision: 'no verdict',
      reasons: ['no fault was injected, so nothing proves that the checks detect defects'],
    };
  }
  const { tone, headline } = verdictOf(report);
  return tone === 'passed'
    ? { decision: 'release', reasons: [] }
    : { decision: 'do not release', reasons: [headline] };
}

/** The exit code of the gate: that of the run, unless the decision requires another. */
export function exitCodeOfDecision({ decision }: Decision, report: Report): number {
  if (decision === 'release') return EXIT.passed;
  if (decision === 'do not release') return EXIT.checkFailed;
  const own: readonly number[] = [EXIT.usage, EXIT.interrupted];
  return own.includes(report.run.exitCode) ? report.run.exitCode : EXIT.infrastructure;
}

const SHOWN = 3;

/** `release`, `do not release: why` or `no verdict: why`. */
export function decisionLine({ decision, reasons }: Decision): string {
  if (reasons.length === 0) return decision;
  const rest = reasons.length - SHOWN;
  const more = rest > 0 ? `; and ${count(rest, 'more reason')}` : '';
  return `${decision}: ${reasons.slice(0, SHOWN).join('; ')}${more}`;
}
