/** Output to a terminal whose last lines are redrawn in place. Without a terminal only the lines that stay are written. */
import type { TextStream } from '../reporter.ts';

export interface Screen {
  /** Writes lines that stay, above the live lines. */
  print(lines: readonly string[]): void;
  /** Replaces the lines at the bottom; each must fit the terminal's width. Without lines the cursor is visible again. */
  live(lines: readonly string[]): void;
  /** How many staying lines have been written so far. */
  written(): number;
}

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
/** Synchronized output: terminals that know it show a redraw at once, the others ignore it. */
const beginUpdate = '\u001b[?2026h';
const endUpdate = '\u001b[?2026l';

export function createScreen(stream: TextStream, isTty: boolean): Screen {
  let drawn: readonly string[] = [];
  let written = 0;
  const erase = () => (drawn.length === 0 ? '' : `\u001b[${drawn.length}A\r\u001b[J`);
  const body = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  // Also on an exit that closes no reporter: an exception, a second Ctrl+C.
  const restoreCursor = () => stream.write(showCursor);

  return {
    print(lines) {
      if (lines.length === 0) return;
      const text = body(lines);
      stream.write(drawn.length === 0 ? text : beginUpdate + erase() + text + body(drawn) + endUpdate);
      written += lines.length;
    },
    live(lines) {
      if (!isTty || (lines.length === 0 && drawn.length === 0)) return;
      const isFirst = drawn.length === 0;
      const isLast = lines.length === 0;
      if (isFirst) process.once('exit', restoreCursor);
      if (isLast) process.off('exit', restoreCursor);
      // One write for erasing and drawing: two of them flicker.
      const update = beginUpdate + erase() + body(lines) + endUpdate;
      stream.write((isFirst ? hideCursor : '') + update + (isLast ? showCursor : ''));
      drawn = [...lines];
    },
    written: () => written,
  };
}
