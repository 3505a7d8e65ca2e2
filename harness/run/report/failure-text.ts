/** A failure as plain text, for reports of other tools. */
import { seconds } from '../../core/deadline.ts';
import type { CheckResult } from './model.ts';
import { collapse } from './text.ts';
import { summaryOfCheck } from './verdict.ts';

/** Verdict, expected and actual, chain of causes, timeline. */
export function failureBody(check: CheckResult): string {
  const lines = [summaryOfCheck(check)];
  const { diagnosis } = check;
  if (!diagnosis) return lines.join('\n');
  if (diagnosis.expected !== undefined) lines.push(`expected: ${diagnosis.expected}`);
  if (diagnosis.actual !== undefined) lines.push(`actual:   ${diagnosis.actual}`);
  diagnosis.causes.forEach((cause, depth) => {
    lines.push(`${depth === 0 ? 'because:' : '        '}  ${cause.object} ${cause.says}`);
  });
  if (diagnosis.hint !== undefined) lines.push(`fix:      ${diagnosis.hint}`);
  if (diagnosis.timeline.length > 0) lines.push('timeline:');
  for (const moment of collapse(diagnosis.timeline))
    lines.push(`  +${seconds(moment.afterMs)}  ${moment.text}`);
  return lines.join('\n');
}
