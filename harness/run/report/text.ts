/** Text for terminals and logs: cleaning what tools printed, measuring, wrapping. Style after wrapping. */
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

// eslint-disable-next-line no-control-regex -- the last ranges are line separators and bidirectional overrides
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Removes ANSI sequences and control characters, which tools print and which would move the cursor; keeps newlines. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\r\n?/g, '\n').replace(/\t/g, '  ').replace(control, '');
}

/** The columns that a plain text without newlines takes in a terminal. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

const graphemes = new Intl.Segmenter();

/** The longest beginning of the text that fits `columns`, but never nothing. */
function headOf(text: string, columns: number): string {
  let head = '';
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += stringWidth(segment);
    if (width > columns && head !== '') break;
    head += segment;
  }
  return head;
}

/** Cuts the end of a text that is wider than `columns`, with an ellipsis. */
export function truncate(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return `${headOf(text, columns - 1).trimEnd()}…`;
}

/** Cuts out the middle: both ends of a pod name or a path tell more than its middle. */
export function truncateMiddle(text: string, length: number): string {
  if (text.length <= length) return text;
  const tail = Math.floor((length - 1) / 2);
  return `${text.slice(0, length - 1 - tail)}…${text.slice(text.length - tail)}`;
}

/**
 * Breaks at spaces, and inside a word only when it is longer than a line. Keeps newlines; a no-break space holds two words
 * together and becomes a space.
 */
export function wrap(text: string, columns: number): string[] {
  const room = Math.max(columns, 20);
  return plain(text)
    .split('\n')
    .flatMap((line) => wrapLine(line.trimEnd(), room))
    .map((line) => line.replace(/\u00a0/g, ' '));
}

function wrapLine(line: string, room: number): string[] {
  const indent = /^ */.exec(line)?.[0].slice(0, room / 2) ?? '';
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/ +/)) {
    if (word === '') continue;
    const joined = current === '' ? indent + word : `${current} ${word}`;
    if (widthOf(joined) <= room) {
      current = joined;
      continue;
    }
    if (current !== '') lines.push(current);
    current = indent + word;
    while (widthOf(current) > room) {
      const head = headOf(current, room);
      lines.push(head);
      current = current.slice(head.length);
    }
  }
  lines.push(current);
  return lines;
}

/** Merges consecutive equal texts into one with `×N`. */
export function collapse<T extends { text: string }>(items: readonly T[]): T[] {
  const collapsed: { item: T; times: number }[] = [];
  for (const item of items) {
    const last = collapsed.at(-1);
    if (last?.item.text === item.text) last.times += 1;
    else collapsed.push({ item, times: 1 });
  }
  return collapsed.map(({ item, times }) =>
    times === 1 ? item : { ...item, text: `${item.text} ×${times}` },
  );
}
