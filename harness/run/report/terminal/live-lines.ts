/** The live lines at the bottom of a terminal: a spinner for every running phase and check. */
import type { Activity } from './activity.ts';
import type { Style } from '../../../core/style.ts';
import { plain, truncate, widthOf } from '../text.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const shownChecks = 4;

/** One line for each activity, cut to the terminal's width: a wrapped line could not be erased. */
export function liveLines(
  activities: readonly Activity[],
  now: number,
  { style, columns }: { style: Style; columns: number },
): string[] {
  const frame = frames[Math.floor(now / 100) % frames.length] ?? '';
  const phases = activities.filter((activity) => activity.kind === 'phase');
  const checks = activities.filter((activity) => activity.kind === 'check');
  const lines = [...phases, ...checks.slice(0, shownChecks)].map((activity) => {
    const elapsed = wholeSeconds(now - activity.startedAt);
    const head = truncate(plain(activity.name), Math.max(columns - 16, 8));
    const used = 2 + widthOf(head) + 2 + elapsed.length + 2;
    const text = plain(activity.text).split('\n').at(-1) ?? '';
    const room = columns - 1 - used;
    const tail = text === '' || room < 8 ? '' : `  ${style.dim(truncate(text, room))}`;
    return `${style.cyan(frame)} ${head}  ${style.dim(elapsed)}${tail}`;
  });
  if (checks.length > shownChecks)
    lines.push(style.dim(`  … and ${checks.length - shownChecks} more checks`));
  return lines;
}

/** Whole seconds: tenths would change too fast to read. */
function wholeSeconds(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  return whole < 100
    ? `${whole} s`
    : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
