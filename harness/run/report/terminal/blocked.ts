/** Blocked checks, as one line for each failure that blocks them. */
import { count } from '../../../core/wording.ts';
import type { Style } from '../../../core/style.ts';
import type { CheckResult } from '../model.ts';
import { widthOf, wrap } from '../text.ts';
import { blockedGroups, shortId } from '../wording.ts';

/** `○ 30 checks blocked by T-28: the release never became ready (T-10, T-17 …)`; as many ids as fit. */
export function blockedLines(
  checks: readonly CheckResult[],
  { style, columns }: { style: Style; columns: number },
): string[] {
  return blockedGroups(checks).flatMap(({ by, reason, blocked }) => {
    const text = `${count(blocked.length, 'check')} blocked${by === undefined ? '' : ` by ${shortId(by)}`}: ${reason}`;
    const [first = '', ...more] = wrap(text, columns - 2);
    const ids = more.length > 0 ? '' : idsIn(blocked.map(shortId), columns - widthOf(first) - 3);
    return [`${style.yellow('○')} ${first}${style.dim(ids)}`, ...more.map((line) => `    ${line}`)];
  });
}

/** ` (T-10, T-17 …)` within `room`; empty when not even one id fits. */
function idsIn(ids: readonly string[], room: number): string {
  for (let shown = ids.length; shown > 0; shown -= 1) {
    const text = ` (${ids.slice(0, shown).join(', ')}${shown < ids.length ? ' …' : ''})`;
    if (widthOf(text) <= room) return text;
  }
  return '';
}
