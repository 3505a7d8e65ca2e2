/** The warnings of a suite: advice that the subject does not follow. */
import type { Style } from '../../../core/style.ts';
import type { CheckResult } from '../model.ts';
import { isWarning } from '../status.ts';
import { wrap } from '../text.ts';
import { shortId, summaryOfCheck } from '../wording.ts';
import { labelled } from './failure-block.ts';

/** Two or three lines for each: what, and what to do; empty without a warning. */
export function warningLines(
  checks: readonly CheckResult[],
  { style, columns }: { style: Style; columns: number },
): string[] {
  return checks.filter(isWarning).flatMap((check) => {
    const id = shortId(check);
    const [summary = ''] = summaryOfCheck(check).split('\n');
    const [first = '', ...more] = wrap(summary, columns - id.length - 4);
    const hint = check.diagnosis?.hint;
    return [
      `${style.yellow('!')} ${style.bold(id)}  ${first}`,
      ...more.map((line) => `    ${line}`),
      ...(hint === undefined ? [] : labelled('fix', hint, { style, columns }, style.cyan)),
    ];
  });
}
