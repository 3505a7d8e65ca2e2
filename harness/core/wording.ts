/** Counts, lists and excerpts, in one style for all messages. */

/** `1 node`, `3 nodes`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`; with more than `limit` words `a, b and 4 more`. */
export function listed(words: readonly string[], limit = 5): string {
  if (words.length > limit) return `${words.slice(0, limit).join(', ')} and ${words.length - limit} more`;
  if (words.length <= 1) return words[0] ?? 'none';
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}

/** The text as one line of at most `limit` characters. */
export function clip(text: string, limit = 220): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

export function lastLines(text: string, lines: number): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

/** The last non-empty lines of a log joined into one line, a repeated line once; undefined for an empty log. */
export function logTail(log: string | undefined, lines = 3): string | undefined {
  const tail = (log ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line, i, all) => line !== '' && line !== all[i - 1])
    .slice(-lines)
    .map((line) => clip(line, 200));
  return tail.length === 0 ? undefined : tail.join(' ⏎ ');
}
