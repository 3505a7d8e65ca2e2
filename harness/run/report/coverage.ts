/** How many requirements of the catalogue a run has checked. */
import { count } from '../../core/wording.ts';
import type { CheckResult, Report, RequirementRow } from './model.ts';
import { isDecided, isNotApplicable } from './status.ts';

/** How many requirements of a suite were checked in this run. */
export interface Coverage {
  /** A suite, or `shared` for the requirements that every suite has. */
  suite: string;
  /** A check of the requirement passed or failed in this run. */
  checked: number;
  /** In the catalogue, or in this run because its checks do not fit the subject. */
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
    const checks = checksOf(row, report);
    if (checks.some(isDecided)) coverage.checked += 1;
    else if (row.status === 'not-applicable' || checks.some(isNotApplicable)) coverage.notApplicable += 1;
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

/** `toolman: 30 of 97 requirements checked, 2 not applicable, 65 not checked`. */
export function coverageLine({ suite, checked, notApplicable, notChecked }: Coverage): string {
  const parts = [
    `${suite}: ${checked} of ${count(checked + notApplicable + notChecked, 'requirement')} checked`,
  ];
  if (notApplicable > 0) parts.push(`${notApplicable} not applicable`);
  if (notChecked > 0) parts.push(`${notChecked} not checked`);
  return parts.join(', ');
}
