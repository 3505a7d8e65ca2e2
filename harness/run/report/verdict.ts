/** What a run says in the end: how many passed, and whether the subject may be released. */
import { EXIT } from '../../core/errors.ts';
import type { CheckResult, Proof, Report } from './model.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Checks and proofs together. A caught fault counts as passed, a missed one or one caught for the wrong reason as failed,
 * so a run with `--prove` counts its proofs; checks that failed under a fault, as they should, are no part of
 * `report.checks`.
 */
export function countsOf(report: Pick<Report, 'checks' | 'proofs'>): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const check of report.checks) counts[COUNTED_AS[check.status]] += 1;
  for (const proof of report.proofs ?? []) counts[proof.outcome === 'caught' ? 'passed' : 'failed'] += 1;
  return counts;
}

const COUNTED_AS: Readonly<Record<CheckResult['status'], keyof Counts>> = {
  passed: 'passed',
  failed: 'failed',
  errored: 'failed',
  skipped: 'skipped',
  blocked: 'skipped',
};

/** `failed` or `errored`: what the reader has to look at. */
export function isRed({ status }: Pick<CheckResult, 'status'>): boolean {
  return COUNTED_AS[status] === 'failed';
}

/** The line that ends every run, alone: `36 passed, 2 failed, 1 skipped`. */
export function countsLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

export interface Verdict {
  /** `none`: nothing was found out about the subject, neither good nor bad. */
  tone: 'passed' | 'failed' | 'none';
  /** `Passed`, `Failed: 2 of 38 checks`, `No verdict: infrastructure failed`. */
  headline: string;
  /** What follows for the release, one sentence. */
  sentence: string;
}

/** The verdict on a run. An error of the infrastructure never becomes the subject's fault, nor an absence of failures a pass. */
export function verdictOf(report: Report): Verdict {
  const counts = countsOf(report);
  const { error, exitCode } = report.run;
  if (error) {
    const ended =
      exitCode === EXIT.usage
        ? 'wrong usage'
        : exitCode === EXIT.interrupted
          ? 'interrupted'
          : 'infrastructure failed';
    const seen = counts.failed - report.checks.filter((check) => check.status === 'errored').length;
    const before = seen > 0 ? ` Red already before that: ${shareOf(seen, report)}.` : '';
    return {
      tone: 'none',
      headline: `No verdict: ${ended}`,
      sentence: `This run says nothing about a release.${before}`,
    };
  }
  if (counts.failed > 0) {
    return {
      tone: 'failed',
      headline: `Failed: ${shareOf(counts.failed, report)}`,
      sentence: 'Do not release.',
    };
  }
  if (counts.passed === 0) {
    return {
      tone: 'none',
      headline: 'No verdict: no check ran',
      sentence: 'This run says nothing about a release.',
    };
  }
  if (exitCode !== EXIT.passed) {
    return {
      tone: 'failed',
      headline: `Failed: ${report.run.verdict}`,
      sentence: 'Do not release.',
    };
  }
  const skipped = counts.skipped === 0 ? '' : ` ${counts.skipped} skipped: see why before relying on it.`;
  return {
    tone: 'passed',
    headline: 'Passed',
    sentence: `${allOf(report)} The subject may be released.${skipped}`,
  };
}

function shareOf(failed: number, report: Report): string {
  const proofs = report.proofs ?? [];
  const unproven = proofs.filter((proof) => proof.outcome !== 'caught').length;
  const parts: string[] = [];
  if (failed > unproven) parts.push(`${failed - unproven} of ${plural(report.checks.length, 'check')}`);
  if (unproven > 0) parts.push(`${unproven} of ${plural(proofs.length, 'fault')} not caught`);
  return parts.join(', ');
}

function allOf(report: Report): string {
  const ran = report.checks.filter((check) => check.status === 'passed').length;
  const proofs = report.proofs?.length ?? 0;
  const parts: string[] = [];
  if (ran > 0) parts.push(`${plural(ran, 'check')} passed.`);
  if (proofs > 0) parts.push(`${plural(proofs, 'fault')} caught.`);
  return parts.join(' ');
}

/** `1 check`, `2 checks`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `toolman/T-35` under the heading of its suite is `T-35`. */
export function shortId(check: { id: string; suite: string }): string {
  return check.id.startsWith(`${check.suite}/`) ? check.id.slice(check.suite.length + 1) : check.id;
}

/** The sentence that says what went wrong; may have several lines. */
export function summaryOfCheck(check: CheckResult): string {
  const summary = check.diagnosis?.summary ?? check.reason ?? `${check.title}: failed without a reason`;
  return check.status === 'errored' ? `could not be checked: ${summary}` : summary;
}

/** The outcome of a proof in words. */
export function outcomeOf(proof: Proof): string {
  return proof.outcome === 'wrong-reason' ? 'caught for the wrong reason' : proof.outcome;
}
