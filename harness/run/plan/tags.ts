/** Tag expressions (`--tags`), parsed by vitest's parser, which `@vitest/runner` exports. */
import { createTagsFilter } from '@vitest/runner/utils';
import { UsageError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';

/** Tags that checks of every suite may have; the name of the suite is also a tag. */
export const CHECK_TAGS = ['static', 'live', 'disruptive'] as const;

/**
 * Whether the tags of a check match `a and (b or not c)`, also with `&&`, `||`, `!`, and `*` in names.
 *
 * @throws UsageError `E_TAGS` naming the word that is wrong
 */
export function tagFilter(
  expression: string,
  known: readonly string[],
): (tags: readonly string[]) => boolean {
  const bad = (why: string, hint?: string): UsageError =>
    new UsageError('E_TAGS', `--tags "${expression}": ${why}`, {
      hint: hint ?? `Tags: ${known.join(', ')}. For example --tags "live and not disruptive"`,
    });
  // vitest's parser loops forever on a single `&` or `|`.
  const single = /[&|]/.exec(expression.replaceAll(/&&|\|\|/g, ''))?.[0];
  if (single !== undefined) throw bad(`unexpected "${single}"`);
  try {
    const matches = createTagsFilter(
      [expression],
      known.map((name) => ({ name })),
    );
    return (tags) => matches([...tags]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /^The tag pattern "(.*)" is not defined/s.exec(message)?.[1];
    if (unknown === undefined) {
      throw bad(message.replace('Invalid tags expression: ', '').replace(` in "${expression}"`, ''));
    }
    const near = suggest(unknown, known);
    throw bad(`there is no tag "${unknown}"`, near === undefined ? undefined : `Did you mean "${near}"?`);
  }
}
