/** Tag expressions (`--tags`): checked here, so that a slip of the pen is told before a cluster is made for it. */
import { UsageError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';

/** Tags that checks of every suite may have; the name of the suite is one as well. */
export const CHECK_TAGS = ['static', 'live', 'disruptive'] as const;

const OPERATORS: Readonly<Record<string, string>> = { '&&': 'and', '||': 'or', '!': 'not' };

/**
 * Reads `a and (b or not c)`; `&&`, `||`, `!` and `*` in names are understood as well.
 *
 * @throws UsageError `E_TAGS` naming the word that is wrong
 */
export function rejectBadTags(expression: string, known: readonly string[]): void {
  const bad = (
    why: string,
    hint = `Tags: ${known.join(', ')}. For example --tags "live and not disruptive"`,
  ): never => {
    throw new UsageError('E_TAGS', `--tags "${expression}": ${why}`, { hint });
  };
  const words = (expression.match(/[()!]|&+|\|+|[^\s()!&|]+/g) ?? []).map(
    (word) => OPERATORS[word] ?? (/^(and|or|not)$/i.test(word) ? word.toLowerCase() : word),
  );
  let at = 0;
  const unary = (): void => {
    const word = words[at];
    at += 1;
    if (word === undefined) return bad('it ends too early');
    if (word === 'not') return unary();
    if (word === '(') {
      either();
      if (words[at] !== ')') bad('a ")" is missing');
      at += 1;
      return;
    }
    if (word === ')' || word === 'and' || word === 'or') bad(`a tag is missing before "${word}"`);
    if (known.some((tag) => matches(word, tag))) return;
    const near = suggest(word, known);
    bad(`there is no tag "${word}"`, near === undefined ? undefined : `Did you mean "${near}"?`);
  };
  const either = (): void => {
    unary();
    while (words[at] === 'and' || words[at] === 'or') {
      at += 1;
      unary();
    }
  };
  either();
  if (at < words.length) bad(`"and" or "or" is missing before "${words[at] ?? ''}"`);
}

function matches(pattern: string, tag: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(tag);
}
