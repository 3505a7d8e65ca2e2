/** The closing statement on a whole run: counts, verdict, and how many requirements were checked. */
import { EXIT } from '../../core/errors.ts';
import { count } from '../../core/wording.ts';
import type { CheckResult, Proof, Report, RequirementRow } from './model.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Checks and proofs together. A caught fault counts as passed, a missed one or one caught for the wrong reason as failed.
 * Checks that failed under a fault, as they should, are not part of `report.checks`.
 */
export function countsOf(report: Pick<Report, 'checks' | 'proofs'>): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const check of report.checks) counts[COUNTED_AS[check.status]] += 1;
  for (const proof of report.proofs ?? []) counts[isCaught(proof) ? 'passed' : 'failed'] += 1;
  return counts;
}

const COUNTED_AS: Readonly<Record<CheckResult['status'], keyof Counts>> = {
  passed: 'passed',
  failed: 'failed',
  errored: 'failed',
  skipped: 'skipped',
  blocked: 'skipped',
};

/** `failed` or `errored`: a reader has to look at it. */
export function isRed({ status }: Pick<CheckResult, 'status'>): boolean {
  return COUNTED_AS[status] === 'failed';
}

export function isCaught({ outcome }: Pick<Proof, 'outcome'>): boolean {
  return outcome === 'caught';
}

/** The last line of every run: `36 passed, 2 failed, 1 skipped`. */
export function countsLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

/** How many requirements of a suite were checked in this run. */
export interface Coverage {
  /** A suite, or `shared` for the requirements that every suite has. */
  suite: string;
  /** A check of the requirement passed or failed in this run. */
  checked: number;
  notApplicable: number;
  notChecked: number;
}

/** One entry for each suite that ran and has requirement rows; empty without rows. */
export function coverageOf(report: Pick<Report, 'checks' | 'requirements'>): Coverage[] {
  const ran = new Set(report.checks.map(({ suite }) => suite));
  const bySuite = new Map<string, Coverage>();
  for (const row of report.requirements ?? []) {
    if (row.suite !== EVERY_SUITE && !ran.has(row.suite)) continue;
    const suite = row.suite === EVERY_SUITE ? 'shared' : row.suite;
    const coverage = bySuite.get(suite) ?? { suite, checked: 0, notApplicable: 0, notChecked: 0 };
    bySuite.set(suite, coverage);
    const wasChecked = checksOf(row, report).some(({ status }) => status === 'passed' || status === 'failed');
    if (wasChecked) coverage.checked += 1;
    else if (row.status === 'not-applicable') coverage.notApplicable += 1;
    else coverage.notChecked += 1;
  }
  return ran.size === 0 ? [] : [...bySuite.values()];
}

/** The suite of the catalogue rows that apply to every suite. */
const EVERY_SUITE = 'all';

/** Whether a suite has to keep the requirement. */
export function isOf(row: RequirementRow, suite: string): boolean {
  return row.suite === EVERY_SUITE || row.suite === suite;
}

/** The checks of a requirement in this run. */
export function checksOf(row: RequirementRow, report: Pick<Report, 'checks'>): CheckResult[] {
  return report.checks.filter((check) => isOf(row, check.suite) && check.requirements.includes(row.id));
}

export interface Verdict {
  /** `none`: the run says nothing about the subject. */
  tone: 'passed' | 'failed' | 'none';
  /** `Passed`, `Failed: 2 of 38 checks`, `No verdict: infrastructure failed`. */
  headline: string;
  /** More about the headline; empty when it says everything. */
  sentence: string;
  /** One line for each suite: `toolman: 30 of 97 requirements checked, 2 not applicable, 65 not checked`. */
  coverage: string[];
}

/** The verdict on a run. An infrastructure error is never the subject's fault, and an absence of failures is not yet a pass. */
export function verdictOf(report: Report): Verdict {
  return { ...statementOf(report), coverage: coverageOf(report).map(coverageLine) };
}

const NOTHING_KNOWN = 'This run says nothing about the subject.';

function statementOf(report: Report): Omit<Verdict, 'coverage'> {
  const counts = countsOf(report);
  const { error, exitCode } = report.run;
  if (error) {
    const ended =
      exitCode === EXIT.usage
        ? 'wrong usage'
        : exitCode === EXIT.interrupted
          ? 'interrupted'
          : 'infrastructure failed';
    const known = counts.failed - report.checks.filter((check) => check.status === 'errored').length;
    return {
      tone: 'none',
      headline: `No verdict: ${ended}`,
      sentence: known > 0 ? `Failed before that: ${shareOf(known, report)}.` : NOTHING_KNOWN,
    };
  }
  if (counts.failed > 0) {
    return { tone: 'failed', headline: `Failed: ${shareOf(counts.failed, report)}`, sentence: '' };
  }
  if (counts.passed === 0) {
    return { tone: 'none', headline: 'No verdict: no check ran', sentence: NOTHING_KNOWN };
  }
  if (exitCode !== EXIT.passed) {
    return { tone: 'failed', headline: `Failed: ${report.run.verdict}`, sentence: '' };
  }
  return { tone: 'passed', headline: 'Passed', sentence: passedSentence(report, counts) };
}

function shareOf(failed: number, report: Report): string {
  const proofs = report.proofs ?? [];
  const uncaught = proofs.filter((proof) => !isCaught(proof)).length;
  const parts: string[] = [];
  if (failed > uncaught) parts.push(`${failed - uncaught} of ${count(report.checks.length, 'check')}`);
  if (uncaught > 0) parts.push(`${uncaught} of ${count(proofs.length, 'fault')} not caught`);
  return parts.join(', ');
}

function passedSentence(report: Report, { skipped }: Counts): string {
  const passed = report.checks.filter((check) => check.status === 'passed').length;
  const proofs = report.proofs?.length ?? 0;
  const parts: string[] = [];
  if (passed > 0) parts.push(`${count(passed, 'check')} passed.`);
  if (proofs > 0) parts.push(`${count(proofs, 'fault')} caught.`);
  if (skipped > 0) parts.push(`${skipped} skipped.`);
  return parts.join(' ');
}

function coverageLine({ suite, checked, notApplicable, notChecked }: Coverage): string {
  const parts = [
    `${suite}: ${checked} of ${count(checked + notApplicable + notChecked, 'requirement')} checked`,
  ];
  if (notApplicable > 0) parts.push(`${notApplicable} not applicable`);
  if (notChecked > 0) parts.push(`${notChecked} not checked`);
  return parts.join(', ');
}
