/** How diagnosis counts, lists and shortens, so that all its sentences sound alike. */

/** `1 node`, `3 nodes`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`; beyond `limit` names `… and 4 more`. */
export function listed(words: readonly string[], limit = 5): string {
  if (words.length > limit) return `${words.slice(0, limit).join(', ')} and ${words.length - limit} more`;
  if (words.length <= 1) return words[0] ?? 'none';
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}

/** One line of at most `limit` characters. */
export function clip(text: string, limit = 220): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}

/** The last lines of a log as one line, oldest first; undefined when it says nothing. */
export function lastWords(log: string | undefined, lines = 3): string | undefined {
  const said = (log ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-lines)
    .map((line) => clip(line, 200));
  return said.length === 0 ? undefined : said.join(' ⏎ ');
}

/** `a=1, b=2`. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? 'no labels' : pairs.join(', ');
}

/** ms since the epoch of an API time; undefined for none. */
export function timeOf(time: string | undefined | null): number | undefined {
  if (time === undefined || time === null) return undefined;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}
