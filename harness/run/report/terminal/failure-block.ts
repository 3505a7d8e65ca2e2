/** A failed check in full: summary, expected and actual, causes, fix, last state changes, artifacts, how to run it again. */
import path from 'node:path';
import { seconds } from '../../../core/deadline.ts';
import type { CheckResult } from '../model.ts';
import type { Diagnosis } from '../../../observe/diagnose/diagnosis.ts';
import { collapse, plain, truncate, widthOf, wrap } from '../text.ts';
import { commonFolder, shortId, summaryOfCheck } from '../wording.ts';
import type { Style } from '../../../core/style.ts';
import { commandLines } from './rerun.ts';

const labelWidth = 10;
const indent = '    ';
/** More state changes than this would push the rest of the block off the screen; the last ones matter most. */
const shownMoments = 8;

export interface FailureContext {
  style: Style;
  columns: number;
  /** The run directory as printed. */
  directory: string;
  /** The command that runs the check again; empty for none. */
  rerun: string;
  verbose: boolean;
}

/** The lines of a failure, without a trailing newline. */
export function failureBlock(check: CheckResult, context: FailureContext): string[] {
  const { style, columns } = context;
  const id = shortId(check);
  const [first = '', ...more] = wrap(summaryOfCheck(check), columns - widthOf(id) - 4);
  const lines = [`${style.red('✗')} ${style.bold(id)}  ${style.red(first)}`];
  for (const line of more) lines.push(`${indent}${style.red(line)}`);

  const field = (label: string, text: string, paint: (text: string) => string = (t) => t) => {
    lines.push(...labelled(label, text, context, paint));
  };
  if (context.verbose) field('check', `${check.title} (${check.file})`, style.dim);
  const { diagnosis } = check;
  if (diagnosis) {
    lines.push(...expectedAndActual(diagnosis, context));
    diagnosis.causes.forEach((cause, index) => {
      field(index === 0 ? 'because' : '', `${cause.object} ${cause.says}`);
    });
    if (diagnosis.hint !== undefined) field('fix', diagnosis.hint, style.cyan);
    lines.push(...timelineLines(diagnosis, context));
  }
  for (const text of check.notes ?? []) field('note', text, style.dim);
  if (context.verbose) for (const text of check.observed) field('saw', text, style.dim);
  lines.push(...seeAndAgain(check, context));
  return lines;
}

/** `label` and a wrapped text beside it; continuation lines are indented by two more columns. */
export function labelled(
  label: string,
  text: string,
  context: Pick<FailureContext, 'columns' | 'style'>,
  paint: (text: string) => string = (t) => t,
): string[] {
  const room = context.columns - indent.length - labelWidth - 2;
  return wrap(text, room).map((line, index) =>
    index === 0
      ? `${indent}${context.style.dim(label.padEnd(labelWidth))}${paint(line)}`
      : `${indent}${' '.repeat(labelWidth + 2)}${paint(line)}`,
  );
}

/** Side by side where both fit, otherwise below each other. */
function expectedAndActual(diagnosis: Diagnosis, context: FailureContext): string[] {
  const { style, columns } = context;
  const expected = diagnosis.expected === undefined ? undefined : plain(diagnosis.expected);
  const actual = diagnosis.actual === undefined ? undefined : plain(diagnosis.actual);
  if (expected !== undefined && actual !== undefined && !`${expected}${actual}`.includes('\n')) {
    const left = `${indent}${style.dim('expected'.padEnd(labelWidth))}${style.green(expected)}`;
    const used = indent.length + labelWidth + widthOf(expected);
    if (used + 8 + 8 + widthOf(actual) <= columns) {
      return [`${left}        ${style.dim('actual')}  ${style.red(actual)}`];
    }
  }
  return [
    ...(expected === undefined ? [] : labelled('expected', expected, context, style.green)),
    ...(actual === undefined ? [] : labelled('actual', actual, context, style.red)),
  ];
}

/** In one or two lines where they fit, otherwise one truncated line for each change; the HTML report has the full texts. */
function timelineLines(diagnosis: Diagnosis, context: FailureContext): string[] {
  const { style, columns } = context;
  const moments = collapse(diagnosis.timeline);
  if (moments.length === 0) return [];
  const shown = moments.slice(-shownMoments).map(({ afterMs, text }) => ({
    // No break between a number and its unit.
    after: `+${seconds(afterMs).replace(/ /g, '\u00a0')}`,
    text: oneLine(text),
  }));
  const hidden = moments.length - shown.length;
  const joined = shown.map(({ after, text }) => `${after}\u00a0${text}`);
  const inline = labelled(
    'timeline',
    [...(hidden > 0 ? ['…'] : []), ...joined].join(' · '),
    context,
    style.dim,
  );
  if (inline.length <= 2) return inline;

  const room = columns - indent.length - labelWidth;
  const widest = Math.max(...shown.map(({ after }) => after.length));
  const lines = shown.map(({ after, text }) =>
    truncate(`${after.padStart(widest)}  ${text}`.replace(/\u00a0/g, ' '), room),
  );
  if (hidden > 0) lines.unshift(`… ${hidden} earlier`);
  return lines.map((line, index) => {
    const label = index === 0 ? 'timeline' : '';
    return `${indent}${style.dim(label.padEnd(labelWidth))}${style.dim(line)}`;
  });
}

function oneLine(text: string): string {
  return plain(text).replace(/\s*\n\s*/g, ' ');
}

/** Paths are never wrapped and commands only between words: both are for copying. */
function seeAndAgain(check: CheckResult, context: FailureContext): string[] {
  const { style, columns, rerun } = context;
  const artifacts = check.artifacts ?? [];
  const place = artifacts.length === 1 ? artifacts[0] : commonFolder(artifacts);
  const label = (text: string) => `${indent}${style.dim(text.padEnd(labelWidth))}`;
  const lines: string[] = [];
  if (place !== undefined) lines.push(`${label('see')}${path.join(context.directory, place)}`);
  const command = rerun === '' ? [] : commandLines(rerun, columns - indent.length - labelWidth);
  command.forEach((line, index) => lines.push(`${label(index === 0 ? 'again' : '')}${line}`));
  return lines;
}
