/** The end of a run: failures again in short, slow phases, leftovers, where the report is, the verdict, the counts. */
import path from 'node:path';
import { seconds } from '../../../core/deadline.ts';
import type { Report } from '../model.ts';
import { gpuCounts, gpuFidelity } from '../gpu-fidelity.ts';
import { plain, truncate, wrap } from '../text.ts';
import {
  countsLine,
  countsOf,
  isRed,
  outcomeOf,
  plural,
  shortId,
  verdictOf,
  summaryOfCheck,
} from '../verdict.ts';
import { labelled } from './failure-block.ts';
import type { Style } from './style.ts';

export interface SummaryContext {
  style: Style;
  columns: number;
  directory: string;
  /** Whether the failures have scrolled away and are worth a line each. */
  repeatFailures: boolean;
}

/** Everything after the last check; the last line is `N passed, N failed, N skipped` alone. */
export function summary(report: Report, context: SummaryContext): string[] {
  const { style, columns } = context;
  const lines: string[] = [''];
  if (context.repeatFailures) lines.push(...failuresInShort(report, context));
  lines.push(...slowestPhases(report, context));
  lines.push(...gpus(report, context));
  lines.push(...leftovers(report, context));
  lines.push(...labelledTop('report', path.join(context.directory, 'report.html'), style.dim));
  lines.push('');
  lines.push(...runError(report, context));

  const verdict = verdictOf(report);
  const paint = { passed: style.green, failed: style.red, none: style.yellow }[verdict.tone];
  const [head = '', ...rest] = wrap(`${verdict.headline}. ${verdict.sentence}`, columns);
  lines.push(style.bold(paint(head)), ...rest.map((line) => paint(line)));
  lines.push(countsLine(countsOf(report)));
  return lines;
}

function failuresInShort(report: Report, { style, columns }: SummaryContext): string[] {
  const lines: string[] = [];
  const severalSuites = new Set(report.checks.map((check) => check.suite)).size > 1;
  for (const check of report.checks) {
    if (!isRed(check)) continue;
    const id = severalSuites ? check.id : shortId(check);
    lines.push(shortLine(id, summaryOfCheck(check)));
  }
  for (const proof of report.proofs ?? []) {
    if (proof.outcome === 'caught') continue;
    lines.push(shortLine(proof.fault, `${outcomeOf(proof)}: ${proof.reason}`));
  }
  return lines.length === 0 ? [] : [...lines, ''];

  function shortLine(id: string, text: string): string {
    const room = Math.max(columns - id.length - 5, 20);
    const line = truncate(plain(text).replace(/\s*\n\s*/g, ' '), room);
    return `${style.red('✗')} ${style.bold(id)}  ${line}`;
  }
}

function slowestPhases(report: Report, { style }: SummaryContext): string[] {
  const slowest = [...report.phases].sort((a, b) => b.durationMs - a.durationMs).slice(0, 3);
  if (slowest.length === 0) return [];
  const names = slowest.map((phase) => `${plain(phase.name)} ${seconds(phase.durationMs)}`).join(' · ');
  return labelledTop('slowest', `${names}  (whole run ${seconds(report.run.durationMs)})`, style.dim);
}

/** What the checks of GPU workloads were made on: a pass on invented GPUs is not one on real ones. */
function gpus(report: Report, { style }: SummaryContext): string[] {
  const nodes = report.cluster?.nodes ?? [];
  const fidelity = gpuFidelity(nodes);
  if (fidelity === undefined) return [];
  return labelledTop('GPU', `${fidelity}: ${plain(gpuCounts(nodes))}`, style.dim);
}

function leftovers(report: Report, { style, columns }: SummaryContext): string[] {
  const left = report.leftovers ?? [];
  if (left.length === 0) return [];
  return [
    style.yellow(
      `! ${plural(left.length, 'thing')} left behind (\`npm run sweep\` removes what carries the run's label):`,
    ),
    ...left.flatMap((item) => wrap(item, columns - 4).map((line) => `    ${line}`)),
  ];
}

function runError(report: Report, { style, columns }: SummaryContext): string[] {
  const { error } = report.run;
  if (!error) return [];
  const [first = '', ...more] = wrap(error.message, columns - error.code.length - 4);
  return [
    `${style.red('✗')} ${style.bold(error.code)}  ${style.red(first)}`,
    ...more.map((line) => `    ${style.red(line)}`),
    ...(error.hint === undefined ? [] : labelled('fix', error.hint, { style, columns }, style.cyan)),
    '',
  ];
}

function labelledTop(label: string, text: string, paint: (text: string) => string): string[] {
  return [`${paint(label.padEnd(10))}${text}`];
}
