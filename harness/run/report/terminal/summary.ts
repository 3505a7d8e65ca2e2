/** The end of a run: slow phases, GPUs, leftovers, where the report is, the error of the run, the verdict, the counts. */
import path from 'node:path';
import { seconds } from '../../../core/deadline.ts';
import { count } from '../../../core/wording.ts';
import { stalledMs } from '../../../observe/stalls/stall-log.ts';
import type { Report } from '../model.ts';
import { gpuCounts, gpuFidelity } from '../gpu-fidelity.ts';
import { plain, wrap } from '../text.ts';
import { countsLine, countsOf, verdictOf } from '../verdict.ts';
import { labelled } from './failure-block.ts';
import type { Style } from '../../../core/style.ts';

export interface SummaryContext {
  style: Style;
  columns: number;
  /** The run directory as printed. */
  directory: string;
}

/** Everything after the failures; the last line is `N passed, N failed, N skipped`, alone. */
export function summary(report: Report, context: SummaryContext): string[] {
  const { style, columns } = context;
  const lines: string[] = [''];
  lines.push(...slowestPhases(report, context));
  lines.push(...gpus(report, context));
  lines.push(...lostTime(report, context));
  lines.push(...leftovers(report, context));
  lines.push(...labelledTop('report', path.join(context.directory, 'report.html'), style.dim));
  lines.push('');
  lines.push(...runError(report, context));

  const verdict = verdictOf(report);
  const tone = verdict.problem ? 'none' : verdict.tone;
  const paint = { passed: style.green, failed: style.red, none: style.yellow }[tone];
  const statement =
    verdict.sentence === '' ? `${verdict.headline}.` : `${verdict.headline}. ${verdict.sentence}`;
  const [head = '', ...rest] = wrap(statement, columns);
  lines.push(style.bold(paint(head)), ...rest.map((line) => paint(line)));
  lines.push(...verdict.coverage.flatMap((line) => wrap(line, columns)));
  lines.push(countsLine(countsOf(report)));
  return lines;
}

function slowestPhases(report: Report, { style }: SummaryContext): string[] {
  const slowest = [...report.phases].sort((a, b) => b.durationMs - a.durationMs).slice(0, 3);
  if (slowest.length === 0) return [];
  const names = slowest.map((phase) => `${plain(phase.name)} ${seconds(phase.durationMs)}`).join(' · ');
  return labelledTop('slowest', `${names}  (whole run ${seconds(report.run.durationMs)})`, style.dim);
}

/** Which GPUs the checks ran on: passing on simulated GPUs does not mean passing on real ones. */
function gpus(report: Report, { style }: SummaryContext): string[] {
  const nodes = report.cluster?.nodes ?? [];
  const fidelity = gpuFidelity(nodes);
  if (fidelity === undefined) return [];
  return labelledTop('GPU', `${fidelity}: ${plain(gpuCounts(nodes))}`, style.dim);
}

/** Only when it changed what the checks did: a stall that no check noticed does not matter. */
function lostTime({ checks, stalls = [] }: Report, { style, columns }: SummaryContext): string[] {
  const effects = [
    effect(checks.filter(({ attempts }) => attempts !== undefined).length, 'was', 'were', 'repeated'),
    effect(checks.filter(({ extendedMs }) => extendedMs !== undefined).length, 'got', 'got', 'more time'),
  ].filter((text) => text !== '');
  if (effects.length === 0) return [];
  const what =
    stalls.length > 0
      ? `${count(stalls.length, 'stall')}, ${seconds(stalledMs(stalls))} together`
      : 'overloaded';
  const [first = '', ...more] = wrap(`${what}: ${effects.join(', ')}`, columns - LABEL_WIDTH);
  return [
    ...labelledTop('machine', first, style.yellow),
    ...more.map((line) => `${' '.repeat(LABEL_WIDTH)}${line}`),
  ];
}

function effect(checks: number, one: string, many: string, what: string): string {
  return checks === 0 ? '' : `${count(checks, 'check')} ${checks === 1 ? one : many} ${what}`;
}

function leftovers(report: Report, { style, columns }: SummaryContext): string[] {
  const left = report.leftovers ?? [];
  if (left.length === 0) return [];
  return [
    style.yellow(
      `! ${count(left.length, 'leftover')} (\`npm run sweep\` removes those with the run's label):`,
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

const LABEL_WIDTH = 10;

function labelledTop(label: string, text: string, paint: (text: string) => string): string[] {
  return [`${paint(label.padEnd(LABEL_WIDTH))}${text}`];
}
