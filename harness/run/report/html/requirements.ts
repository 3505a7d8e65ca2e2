/** The requirements of the catalogue with their checks, faults and result; the script filters them. */
import type { CheckResult, Report, RequirementRow } from '../model.ts';
import { checksOf, isOf } from '../coverage.ts';
import { isCaught, isProvable, isRed } from '../verdict.ts';
import { shortId } from '../wording.ts';
import type { Markup } from './markup.ts';
import { anchor, markup } from './markup.ts';

type Result = CheckResult['status'] | 'not-run' | 'uncovered';

const words: Record<Result, string> = {
  failed: 'failed',
  errored: 'errored',
  warning: 'warning',
  passed: 'passed',
  skipped: 'skipped',
  blocked: 'blocked',
  'not-run': 'not run',
  uncovered: 'no check',
  'not-applicable': 'not applicable',
};

export function requirementsSection(report: Report): Markup | undefined {
  const rows = report.requirements ?? [];
  if (rows.length === 0) return undefined;
  const results = rows
    .map((row) => ({ row, checks: checksOf(row, report) }))
    .map((entry) => ({
      ...entry,
      result: resultOf(entry.row, entry.checks),
    }));
  const present = (Object.keys(words) as Result[]).filter((result) =>
    results.some((entry) => entry.result === result),
  );
  const count = (result: Result) => results.filter((entry) => entry.result === result).length;
  return markup`
<section id="requirements">
  <h2>Requirements</h2>
  <p class="filter" role="group" aria-label="Show" hidden>
    <button type="button" data-filter="all" aria-pressed="true">all <b>${rows.length}</b></button>
    ${present.map((result) => markup`<button type="button" data-filter="${result}" aria-pressed="false">${words[result]} <b>${count(result)}</b></button>`)}
    <input type="search" placeholder="search" aria-label="Search requirements">
  </p>
  <div class="scroll"><table class="requirements">
    <thead><tr><th>Id</th><th>Requirement</th><th>Checks</th><th>Faults</th><th>Result</th></tr></thead>
    <tbody>${results.map(
      ({ row, checks, result }) => markup`
      <tr data-result="${result}">
        <td class="id">${row.id}<span class="muted suite">${row.suite}</span></td>
        <td>${row.requirement}<span class="muted source">${row.source}${row.reason !== undefined && ` · ${row.reason}`}</span></td>
        <td>${checks.length > 0 ? checks.map(checkLine) : row.checks.map((check) => markup`<span class="line muted">${check.title}</span>`)}</td>
        <td>${row.faults.map((fault) => faultLine(fault, row, report))}</td>
        <td><span class="${`chip ${result}`}">${words[result]}</span></td>
      </tr>`,
    )}
    </tbody>
  </table></div>
</section>`;
}

/** The worst result of its checks: one that did not run leaves the requirement unproven. */
const worstFirst = [
  'failed',
  'errored',
  'skipped',
  'blocked',
  'warning',
  'not-applicable',
  'passed',
] as const satisfies readonly CheckResult['status'][];

function resultOf(row: RequirementRow, checks: readonly CheckResult[]): Result {
  const worst = worstFirst.find((status) => checks.some((check) => check.status === status));
  if (worst !== undefined) return worst;
  return row.status === 'covered' ? 'not-run' : row.status;
}

function checkLine(check: CheckResult): Markup {
  const title = isRed(check)
    ? markup`<a href="#${anchor('check', check.id)}">${check.title}</a>`
    : check.title;
  return markup`<span class="line" title="${`${shortId(check)} in ${check.file}`}">${title}</span>`;
}

function faultLine(fault: string, row: RequirementRow, report: Report): Markup {
  const proof = report.proofs?.find((candidate) => candidate.fault === fault && isOf(row, candidate.suite));
  if (!proof) return markup`<span class="line muted">${fault}</span>`;
  if (!isProvable(proof))
    return markup`<span class="line muted" title="${`not provable here: ${proof.reason}`}">${fault}</span>`;
  const caught = isCaught(proof);
  return markup`<span class="${`line ${caught ? 'good' : 'bad'}`}" title="${`${proof.outcome}: ${proof.reason}`}">${caught ? '✓' : '✗'} ${fault}</span>`;
}
