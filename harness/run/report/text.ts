/** Text for terminals and logs: cleaning what tools printed, measuring, wrapping. Styling comes after wrapping. */

// eslint-disable-next-line no-control-regex -- finding control characters is what it is for
const ansi = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// eslint-disable-next-line no-control-regex -- as above; the last ranges turn the direction of writing around
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Removes ANSI sequences and control characters, which tools print and which would move the cursor; keeps newlines. */
export function plain(text: string): string {
  return text.replace(ansi, '').replace(/\r\n?/g, '\n').replace(/\t/g, '  ').replace(control, '');
}

/** The columns that a plain text without newlines takes in a terminal. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

function widthOfCharacter(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) return 0;
  if (/\p{Emoji_Presentation}/u.test(character)) return 2;
  return wideRanges.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** East Asian wide and fullwidth blocks (Unicode Annex 11), as coarse as a report needs. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x20000, 0x3fffd],
];

/** Cuts a text to `columns`, with an ellipsis where something is missing. */
export function truncate(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let cut = '';
  let width = 0;
  for (const character of text) {
    width += widthOfCharacter(character);
    if (width > columns - 1) break;
    cut += character;
  }
  return `${cut.trimEnd()}…`;
}

/** Cuts out the middle: both ends of a pod's name or a path tell more than its middle. */
export function truncateMiddle(text: string, length: number): string {
  if (text.length <= length) return text;
  const tail = Math.floor((length - 1) / 2);
  return `${text.slice(0, length - 1 - tail)}…${text.slice(text.length - tail)}`;
}

/**
 * Breaks at spaces, and inside a word only where it is longer than a line. Newlines of the text are kept; a no-break space
 * holds two words together and is written as a space.
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

function headOf(text: string, columns: number): string {
  let head = '';
  let width = 0;
  for (const character of text) {
    width += widthOfCharacter(character);
    if (width > columns) break;
    head += character;
  }
  return head;
}

/** Consecutive equal texts as one with `×N`. */
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
