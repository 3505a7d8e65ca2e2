/** Decides from a run's report whether to release. Pure. */
import { EXIT } from '../../harness/core/errors.ts';
import { count, firstLine } from '../../harness/core/wording.ts';
import { isCaught, verdictOf } from '../../harness/run/report/verdict.ts';
import { outcomeOf, shortId } from '../../harness/run/report/wording.ts';
import type { Proof, Report } from '../../harness/run/report/model.ts';

export type GateDecision = 'release' | 'do not release' | 'no verdict';

export interface Decision {
  decision: GateDecision;
  /** Why not; empty for a release. */
  reasons: string[];
}

/** What the gate requires beyond the report. */
export interface Circumstances {
  /** Faults had to be proven. */
  proofs: boolean;
  /** The files of the user still are what was tested. */
  chartUnchanged: boolean;
  /** Why the images that ran are not the ones that were loaded. */
  imageProblems: readonly string[];
  /** Set when kindproof's own code has uncommitted changes, which were not permitted. */
  dirty: boolean;
}

/** Errors after which no result of the report can be relied on, not even a failure. */
const UNRELIABLE: readonly string[] = ['E_INCOMPLETE', 'E_REPORT_WRITE', 'E_REPORT_INVALID'];

/**
 * Only a run that passed everything it was asked for leads to "release". A run that could not test everything leads to "no verdict". A
 * failed check outweighs a later infrastructure error: the failure is a fact.
 */
export function decide(report: Report, circumstances: Circumstances): Decision {
  const reasons = refusals(report);
  const { error, exitCode } = report.run;
  if (error && exitCode !== EXIT.checkFailed) {
    const lost = `${firstLine(error.message)} (${error.code})`;
    const isFact = exitCode === EXIT.infrastructure && !UNRELIABLE.includes(error.code);
    return reasons.length > 0 && isFact
      ? { decision: 'do not release', reasons: [...reasons, lost] }
      : { decision: 'no verdict', reasons: [lost] };
  }
  if (!circumstances.chartUnchanged) {
    return noVerdict(
      'the chart, its values or the platform changed during the run, so what was tested is not what they are now',
    );
  }
  if (circumstances.imageProblems.length > 0) return noVerdict(...circumstances.imageProblems);
  if (reasons.length > 0) return { decision: 'do not release', reasons };
  const gaps = unproven(report, circumstances);
  if (gaps.length > 0) return noVerdict(...gaps);
  const { tone, headline } = verdictOf(report);
  if (tone === 'failed') return { decision: 'do not release', reasons: [headline] };
  if (tone === 'none' || exitCode !== EXIT.passed) return noVerdict(headline);
  return { decision: 'release', reasons: [] };
}

/** What speaks against the release. Only checks that failed and faults that were injected and not caught do. */
function refusals({ checks, proofs = [] }: Report): string[] {
  const failed = checks.filter((check) => check.status === 'failed');
  const uncaught = proofs.filter(({ outcome }) => outcome === 'missed' || outcome === 'wrong-reason');
  return [
    ...failed.map((check) => `${shortId(check)} failed: ${firstLine(check.reason ?? check.title)}`),
    ...uncaught.map((proof) => `fault ${proof.fault} was ${outcomeOf(proof)}: ${firstLine(proof.reason)}`),
  ];
}

/** What is missing for a release although nothing speaks against it. */
function unproven({ checks, proofs = [] }: Report, expected: Circumstances): string[] {
  if (checks.length === 0) return ['no check ran'];
  const errored = [
    ...checks
      .filter(({ status }) => status === 'errored')
      .map((c) => `${shortId(c)} errored: ${firstLine(c.reason ?? '')}`),
    ...proofs.filter(({ outcome }) => outcome === 'errored').map(erroredProof),
  ];
  if (errored.length > 0) return errored;
  if (expected.proofs && !proofs.some(isCaught)) {
    return ['no fault was injected, so nothing proves that the checks detect defects'];
  }
  if (!expected.dirty) return [];
  return [
    'kindproof has uncommitted changes, so nobody can repeat this decision: commit them, or pass --allow-dirty',
  ];
}

function erroredProof({ fault, reason }: Proof): string {
  return `fault ${fault} could not be proven: ${firstLine(reason)}`;
}

function noVerdict(...reasons: string[]): Decision {
  return { decision: 'no verdict', reasons };
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
