/** Findings as text for a terminal. */
import type { Style } from '../../core/style.ts';
import { count } from '../../core/wording.ts';
import type { Finding, FindingStatus } from './finding.ts';

const MARKS: Record<FindingStatus, { sign: string; colour: keyof Style }> = {
  ok: { sign: '✓', colour: 'green' },
  fixed: { sign: '✓', colour: 'cyan' },
  warning: { sign: '!', colour: 'yellow' },
  problem: { sign: '✗', colour: 'red' },
};

/** One line for each finding; warnings and problems also show why they matter and how to fix them. */
export function renderFindings(findings: readonly Finding[], style: Style): string {
  const width = Math.max(0, ...findings.map((finding) => finding.title.length));
  const lines = findings.flatMap((finding) => {
    const { sign, colour } = MARKS[finding.status];
    const state = finding.status === 'fixed' ? 'fixed: ' : '';
    const text = `${finding.title.padEnd(width)}  ${state}${indent(finding.found, width + 4)}`;
    const head = `${style[colour](sign)} ${text}`;
    if (finding.status === 'ok' || finding.status === 'fixed') return [head];
    return [
      head,
      ...(finding.why === '' ? [] : [`    why  ${indent(finding.why, 9)}`]),
      ...(finding.remedy === '' ? [] : [`    fix  ${indent(finding.remedy, 9)}`]),
    ];
  });
  return [...lines, '', summary(findings)].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const number = (status: FindingStatus) => findings.filter((finding) => finding.status === status).length;
  const parts = [
    count(number('problem'), 'problem'),
    count(number('warning'), 'warning'),
    `${number('ok')} ok`,
    ...(number('fixed') > 0 ? [`${number('fixed')} fixed`] : []),
  ];
  return parts.join(', ');
}

function indent(text: string, by: number): string {
  return text
    .trimEnd()
    .split('\n')
    .join(`\n${' '.repeat(by)}`);
}
