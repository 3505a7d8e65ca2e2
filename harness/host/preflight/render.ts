/** Findings as text for a terminal. */
import type { Finding, FindingStatus } from './finding.ts';

const MARKS: Record<FindingStatus, { sign: string; colour: number }> = {
  ok: { sign: '✓', colour: 32 },
  fixed: { sign: '✓', colour: 36 },
  warning: { sign: '!', colour: 33 },
  problem: { sign: '✗', colour: 31 },
};

/**
 * One line for what is well; for the rest also why it matters and what to do.
 *
 * @param options.colour ANSI colours, for a terminal that has them
 */
export function renderFindings(findings: readonly Finding[], options: { colour: boolean }): string {
  const width = Math.max(0, ...findings.map((finding) => finding.title.length));
  const lines = findings.flatMap((finding) => {
    const { sign, colour } = MARKS[finding.status];
    const mark = options.colour ? `\u001b[${colour}m${sign}\u001b[0m` : sign;
    const state = finding.status === 'fixed' ? 'fixed: ' : '';
    const head = `${mark} ${finding.title.padEnd(width)}  ${state}${indent(finding.found, width + 4)}`;
    if (finding.status === 'ok' || finding.status === 'fixed') return [head];
    return [
      head,
      ...(finding.why === '' ? [] : [`    why   ${indent(finding.why, 10)}`]),
      ...(finding.remedy === '' ? [] : [`    mend  ${indent(finding.remedy, 10)}`]),
    ];
  });
  return [...lines, '', summary(findings)].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const count = (status: FindingStatus) => findings.filter((finding) => finding.status === status).length;
  const parts = [
    `${count('problem')} problem${count('problem') === 1 ? '' : 's'}`,
    `${count('warning')} warning${count('warning') === 1 ? '' : 's'}`,
    `${count('ok')} ok`,
    ...(count('fixed') > 0 ? [`${count('fixed')} fixed`] : []),
  ];
  return parts.join(', ');
}

function indent(text: string, by: number): string {
  return text
    .trimEnd()
    .split('\n')
    .join(`\n${' '.repeat(by)}`);
}
