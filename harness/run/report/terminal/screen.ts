/**
 * Writing to a terminal whose last lines are redrawn in place. Lines that stay are written above them; without a
 * terminal nothing is redrawn and only the staying lines are written.
 */

export interface TextStream {
  write(text: string): unknown;
}

export interface Screen {
  /** Writes lines that stay. */
  print(lines: readonly string[]): void;
  /** Replaces the lines at the bottom; each must fit the terminal's width. */
  live(lines: readonly string[]): void;
  /** How many staying lines have been written so far. */
  written(): number;
}

export function createScreen(stream: TextStream, isTty: boolean): Screen {
  let drawn: readonly string[] = [];
  let written = 0;
  const erase = () => (drawn.length === 0 ? '' : `\u001b[${drawn.length}A\r\u001b[J`);
  const body = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  return {
    print(lines) {
      if (lines.length === 0) return;
      stream.write(erase() + body(lines) + body(drawn));
      written += lines.length;
    },
    live(lines) {
      if (!isTty || (lines.length === 0 && drawn.length === 0)) return;
      // One write for erasing and drawing: two of them flicker.
      const text = erase() + body(lines);
      drawn = [...lines];
      stream.write(text);
    },
    written: () => written,
  };
}
