/** The closing statement on a whole run: counts and verdict. */
import { EXIT, type ExitCode } from '../../core/errors.ts';
import { count } from '../../core/wording.ts';
import { noVerdict } from './completeness.ts';
import { coverageLine, coverageOf } from './coverage.ts';
import type { CheckResult, Proof, Report } from './model.ts';
import { isNotApplicable, isWarning } from './status.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Checks and proofs together. A warning counts as passed, a check that is not applicable as skipped. A caught fault counts as passed, a
 * fault that is not provable here counts neither way, any other as failed.
 * Checks that failed under a fault, as they should, are not part of `report.checks`.
 */
export function countsOf(report: Pick<Report, 'checks' | 'proofs'>): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const check of report.checks) counts[COUNTED_AS[check.status]] += 1;
  for (const proof of report.proofs ?? []) {
    if (isProvable(proof)) counts[isCaught(proof) ? 'passed' : 'failed'] += 1;
  }
  return counts;
}

/** How a check counts; the test of the check ends the same way. */
export const COUNTED_AS: Readonly<Record<CheckResult['status'], keyof Counts>> = {
  passed: 'passed',
  warning: 'passed',
  failed: 'failed',
  errored: 'failed',
  skipped: 'skipped',
  'not-applicable': 'skipped',
  blocked: 'skipped',
};

/** `failed` or `errored`: a reader has to look at it. */
export function isRed({ status }: Pick<CheckResult, 'status'>): boolean {
  return COUNTED_AS[status] === 'failed';
}

export function isCaught({ outcome }: Pick<Proof, 'outcome'>): boolean {
  return outcome === 'caught';
}

/** The fault applies to this subject and cluster. */
export function isProvable({ outcome }: Pick<Proof, 'outcome'>): boolean {
  return outcome !== 'not-provable';
}

/** `missed`, `wrong-reason` or `errored`: a reader has to look at it. */
export function isUncaught(proof: Pick<Proof, 'outcome'>): boolean {
  return isProvable(proof) && !isCaught(proof);
}

/** The last line of every run: `36 passed, 2 failed, 1 skipped`. */
export function countsLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

export interface Verdict {
  /** `none`: the run says nothing about the subject. */
  tone: 'passed' | 'failed' | 'none';
  /** Of the process. A pass that leaves something behind has another one than 0. */
  exitCode: ExitCode;
  /** `run.verdict` of report.json: `passed`, `2 of 38 checks failed`, `no verdict: why`, `interrupted`. */
  text: string;
  /** Why the exit code is neither 0 nor 1, for reporters that have no other place for it. */
  problem?: RunError;
  /** `Passed`, `Failed: 2 of 38 checks`, `No verdict: infrastructure failed`. */
  headline: string;
  /** More about the headline; empty when it says everything. */
  sentence: string;
  /** One line for each suite: `toolman: 30 of 97 requirements checked, 2 not applicable, 65 not checked`. */
  coverage: string[];
}

/**
 * The verdict on a run. The exit code, report.json and all reporters take it from here. An infrastructure error is never the subject's
 * fault, and an absence of failures is not yet a pass: every planned check and fault must have its result.
 *
 * What comes first decides: an error that ended the run, incomplete results, a failure, errored checks, nothing checked, leftovers.
 */
export function verdictOf(report: Report): Verdict {
  const error = report.run.error ?? noVerdict(report);
  const statement = error ? noVerdictOn(report, error) : (failed(report) ?? passed(report));
  return { ...statement, coverage: coverageOf(report).map(coverageLine) };
}

type Statement = Omit<Verdict, 'coverage'>;
type RunError = NonNullable<Report['run']['error']>;

function noVerdictOn(report: Report, problem: RunError): Statement {
  const { code, message } = problem;
  const exitCode = exitCodeWithoutVerdict(report);
  const known = failures(report).share;
  return {
    tone: 'none',
    exitCode,
    problem,
    text: exitCode === EXIT.interrupted ? 'interrupted' : `no verdict: ${message}`,
    headline: `No verdict: ${ENDINGS[code] ?? ENDINGS[exitCode] ?? 'infrastructure failed'}`,
    sentence: known === '' ? 'This run says nothing about the subject.' : `Failed before that: ${known}.`,
  };
}

const ENDINGS: Readonly<Record<string, string>> = {
  E_INCOMPLETE: 'results are missing or contradict each other',
  E_CHECKS_NOT_MADE: 'not everything could be checked',
  E_NOTHING_CHECKED: 'nothing was checked',
  E_TIME_LIMIT: 'the time limit was reached',
  [EXIT.usage]: 'wrong usage',
  [EXIT.interrupted]: 'interrupted',
};

/** Only wrong usage and an interruption have a code of their own. */
function exitCodeWithoutVerdict({ run }: Report): ExitCode {
  const { error, exitCode } = run;
  return error && (exitCode === EXIT.usage || exitCode === EXIT.interrupted) ? exitCode : EXIT.infrastructure;
}

function failed(report: Report): Statement | undefined {
  const { share, text } = failures(report);
  if (share === '') return undefined;
  const errored =
    report.checks.filter(({ status }) => status === 'errored').length +
    (report.proofs ?? []).filter(({ outcome }) => outcome === 'errored').length;
  const warnings = report.checks.filter(isWarning).length;
  return {
    tone: 'failed',
    exitCode: EXIT.checkFailed,
    text: errored === 0 ? text : `${text}, ${errored} errored`,
    headline: `Failed: ${share}`,
    sentence: [
      ...(errored > 0 ? [`${errored} errored.`] : []),
      ...(warnings > 0 ? [`${count(warnings, 'warning')}.`] : []),
    ].join(' '),
  };
}

function passed(report: Report): Statement {
  const { plan, leftovers = [] } = report;
  const onlyProofs = plan?.checks.length === 0;
  const part = plan?.shard ? `: part ${plan.shard.index} of ${plan.shard.count}` : '';
  const isClean = leftovers.length === 0;
  const but = isClean ? '' : ', but not everything was removed';
  const problem = {
    code: 'E_LEFTOVERS',
    message: `not everything was removed: ${leftovers.join('; ')}`,
    hint: 'The verdict on the subject is valid. Run `npm run sweep`, which removes what has the label of the run.',
  };
  return {
    tone: 'passed',
    exitCode: isClean ? EXIT.passed : EXIT.infrastructure,
    ...(isClean ? {} : { problem }),
    text: `${onlyProofs ? 'every fault was caught' : `passed${part}`}${but}`,
    headline: `Passed${part}${but}`,
    sentence: passedSentence(report),
  };
}

/** What failed, for the headline and for `run.verdict`; both empty when nothing did. Errored checks and proofs are not failures. */
function failures({ checks, proofs = [] }: Pick<Report, 'checks' | 'proofs'>): {
  share: string;
  text: string;
} {
  const red = checks.filter(({ status }) => status === 'failed').length;
  const missed = proofs.filter((proof) => isUncaught(proof) && proof.outcome !== 'errored').length;
  const faults = proofs.filter(isProvable).length;
  const share: string[] = [];
  const text: string[] = [];
  if (red > 0) {
    share.push(`${red} of ${count(checks.length, 'check')}`);
    text.push(`${red} of ${checks.length} checks failed`);
  }
  if (missed > 0) {
    share.push(`${missed} of ${count(faults, 'fault')} not caught`);
    text.push(`${missed} of ${faults} faults were not caught`);
  }
  return { share: share.join(', '), text: text.join(', ') };
}

function passedSentence({ plan, checks, proofs = [] }: Report): string {
  const { passed, skipped } = countsOf({ checks });
  const warnings = checks.filter(isWarning).length;
  const notApplicable = checks.filter(isNotApplicable).length;
  const caught = proofs.filter(isCaught).length;
  const notProvable = proofs.filter((proof) => !isProvable(proof)).length;
  const parts: string[] = [];
  if (passed > 0) {
    const but = warnings > 0 ? `, ${warnings} with a warning` : '';
    parts.push(`${count(passed, 'check')} passed${but}.`);
  }
  if (caught > 0) parts.push(`${count(caught, 'fault')} caught.`);
  if (notProvable > 0) parts.push(`${count(notProvable, 'fault')} not provable here.`);
  if (notApplicable > 0) parts.push(`${notApplicable} not applicable to this subject.`);
  // Both count as skipped.
  if (skipped > notApplicable) parts.push(`${skipped - notApplicable} skipped.`);
  if (plan?.shard)
    parts.push(`All ${plan.shard.count} parts together have ${count(plan.shard.of, 'check')}.`);
  return parts.join(' ');
}
