/** The summary of a run in Markdown, for the page of a GitHub Actions run. */
import { seconds } from '../../../core/deadline.ts';
import { firstLine } from '../../../core/wording.ts';
import type { CheckResult, Report } from '../model.ts';
import { isNotApplicable, isWarning } from '../status.ts';
import { plain } from '../text.ts';
import { countsOf, isCaught, isProvable, isRed, verdictOf, type Verdict } from '../verdict.ts';
import { blockedGroups, bySuite, failureBody, outcomeOf, shortId, summaryOfCheck } from '../wording.ts';

/** GitHub rejects more than 1 MiB for a step. */
const limit = 900_000;

/** Verdict, suites, failures with their causes, skipped and blocked checks, proofs. No text from outside becomes markup. */
export function githubSummary(report: Report): string {
  const verdict = verdictOf(report);
  const mark = verdict.problem ? '⚠️' : { passed: '✅', failed: '❌', none: '⚠️' }[verdict.tone];
  const parts = [
    `## ${mark} kindproof: ${escapeMarkdown(verdict.headline)}`,
    ...[verdict.sentence, ...verdict.coverage].filter((line) => line !== '').map(escapeMarkdown),
    ...problemOf(verdict),
    ...suiteTable(report),
    ...failures(report),
    ...reasons('Warnings', report.checks.filter(isWarning)),
    ...reasons(
      'Skipped',
      report.checks.filter(({ status }) => status === 'skipped'),
    ),
    ...reasons('Not applicable', report.checks.filter(isNotApplicable)),
    ...blocked(report),
    ...proofTable(report),
  ];
  const text = parts.join('\n\n');
  const cut = text.length > limit ? `${text.slice(0, limit)}\n\n… cut; report.html has everything.` : text;
  return `${cut}\n`;
}

function problemOf({ problem }: Verdict): string[] {
  if (!problem) return [];
  return [
    `**${escapeMarkdown(problem.code)}**`,
    fenced(problem.message),
    ...(problem.hint === undefined ? [] : [escapeMarkdown(problem.hint)]),
  ];
}

function suiteTable(report: Report): string[] {
  if (report.checks.length === 0) return [];
  const rows = bySuite(report.checks).map(([suite, checks]) => {
    const counts = countsOf({ checks });
    const took = checks.reduce((sum, check) => sum + check.durationMs, 0);
    return [suite, String(counts.passed), String(counts.failed), String(counts.skipped), seconds(took)];
  });
  return [table(['Suite', 'Passed', 'Failed', 'Skipped', 'Time'], rows)];
}

function failures(report: Report): string[] {
  return report.checks.filter(isRed).map((check) => {
    const title = escapeHtml(`${check.suite} ${shortId(check)} ${firstLine(summaryOfCheck(check))}`);
    return `<details open><summary>❌ <b>${title}</b></summary>\n\n${fenced(failureBody(check))}\n\n</details>`;
  });
}

function reasons(title: string, checks: readonly CheckResult[]): string[] {
  if (checks.length === 0) return [];
  const row = (check: CheckResult) => [check.id, check.title, check.reason ?? 'no reason was given'];
  return [`### ${title}`, table(['Check', 'Title', 'Reason'], checks.map(row))];
}

function blocked(report: Report): string[] {
  const rows = bySuite(report.checks).flatMap(([, checks]) =>
    blockedGroups(checks).map((group) => [
      group.by?.id ?? '',
      group.reason,
      group.blocked.map(({ id }) => id).join(', '),
    ]),
  );
  return rows.length === 0 ? [] : ['### Blocked', table(['By', 'Reason', 'Checks'], rows)];
}

function proofTable(report: Report): string[] {
  const proofs = report.proofs ?? [];
  if (proofs.length === 0) return [];
  const rows = proofs.map((proof) => [
    isCaught(proof) ? '✅' : isProvable(proof) ? '❌' : '⚪',
    proof.fault,
    proof.requirements.join(', '),
    outcomeOf(proof),
    proof.reason,
  ]);
  return ['### Faults', table(['', 'Fault', 'Requirements', 'Outcome', 'Reason'], rows)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** The fence is longer than any run of backticks in the text, so that the text cannot end it. */
function fenced(text: string): string {
  const clean = plain(text);
  const longest = Math.max(2, ...(clean.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${clean}\n${fence}`;
}

function escapeHtml(text: string): string {
  return plain(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** One line in which nothing is markup, a mention or the end of a table cell. */
function escapeMarkdown(text: string): string {
  return escapeHtml(text)
    .replace(/\s*\n\s*/g, ' ')
    .replace(/[\\`*_{}[\]|#~]/g, '\\$&')
    .replace(/@(?=\w)/g, '@\u200b');
}
