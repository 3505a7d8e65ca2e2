/** The requirement table as Markdown. Pure. */
import type { RequirementRow } from '../../harness/run/report/model.ts';

const STATUS: Record<RequirementRow['status'], string> = {
  covered: 'covered',
  uncovered: 'open',
  'not-applicable': 'n/a',
};

/**
 * docs/requirements.md: a summary of all suites, then one table for each suite, in the order of the rows.
 *
 * @param neverAlone checks that no fault addresses alone
 */
export function requirementsMarkdown(
  rows: readonly RequirementRow[],
  neverAlone: readonly string[] = [],
): string {
  const suites = [...new Set(rows.map((row) => row.suite))];
  const sum = suites.map((suite) => sumRow(suite, ofSuite(rows, suite)));
  const lines = [
    '<!-- Written by `npm run matrix`; edits are overwritten. -->',
    '',
    '# Requirements, checks and faults',
    '',
    '<!-- prettier-ignore-start -->',
    '',
    'A requirement is **covered** when a check verifies it and a fault exists that this check has to catch (`npm run prove`).',
    'Otherwise it is **open**, and `—` marks what is missing. Rows of the suite `all` apply to every suite.',
    'A broken promise is a failure. Where a row says **advice**, it is a warning.',
    '',
    '| suite | requirements | covered | open | n/a |',
    '| --- | --: | --: | --: | --: |',
    ...sum,
    sumRow('total', rows),
    '',
    ...suites.flatMap((suite) => table(suite, ofSuite(rows, suite))),
    ...(neverAlone.length === 0 ? [] : [...NEVER_ALONE, ...neverAlone.map((check) => `- ${cell(check)}`)]),
  ];
  return `${lines.join('\n').trimEnd()}\n\n<!-- prettier-ignore-end -->\n`;
}

const NEVER_ALONE = [
  '## Checks that no fault addresses alone',
  '',
  'A proof ends when every requirement of its fault is red. Each of these checks is run by a fault, but another check of the same',
  'requirement may be red in its place: `proofs[].caughtBy` of a report says which one was.',
  '',
];

function ofSuite(rows: readonly RequirementRow[], suite: string): RequirementRow[] {
  return rows.filter((row) => row.suite === suite);
}

function sumRow(name: string, rows: readonly RequirementRow[]): string {
  const count = (status: RequirementRow['status']): number =>
    rows.filter((row) => row.status === status).length;
  return `| ${name} | ${rows.length} | ${count('covered')} | ${count('uncovered')} | ${count('not-applicable')} |`;
}

function table(suite: string, rows: readonly RequirementRow[]): string[] {
  return [
    `## ${suite}`,
    '',
    '| id | requirement | status | checks | faults |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((row) =>
      [
        '',
        row.id,
        cell(row.requirement),
        `${STATUS[row.status]}${row.level === 'advice' ? ', **advice**' : ''}${row.reason === undefined ? '' : `: ${cell(row.reason)}`}`,
        row.checks.map(({ title }) => cell(title)).join('<br>') || missing(row),
        row.faults.map((name) => `\`${name}\``).join(', ') || missing(row),
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
  ];
}

function missing(row: RequirementRow): string {
  return row.status === 'not-applicable' ? '' : '—';
}

/** Escapes text for a table cell; in backticks, only the bar needs it. */
function cell(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .split(/(`[^`]*`)/)
    .map((part) => part.replace(part.startsWith('`') ? /\|/g : /[|<*_\\]/g, '\\$&'))
    .join('');
}
