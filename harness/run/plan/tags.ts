/**
 * Tag expressions (`--tags`), parsed by vitest's own parser, so that vitest accepts later what is accepted here.
 * vitest itself does not export it; `@vitest/runner` is pinned to the same version.
 */
import { createTagsFilter } from '@vitest/runner/utils';
import { UsageError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';

/** Tags that checks of every suite may have; the name of the suite is also a tag. */
export const CHECK_TAGS = ['static', 'live', 'disruptive'] as const;

/**
 * Accepts `a and (b or not c)`, also with `&&`, `||`, `!`, and `*` in names.
 *
 * @throws UsageError `E_TAGS` naming the word that is wrong
 */
export function rejectBadTags(expression: string, known: readonly string[]): void {
  const bad = (why: string, hint?: string): UsageError =>
    new UsageError('E_TAGS', `--tags "${expression}": ${why}`, {
      hint: hint ?? `Tags: ${known.join(', ')}. For example --tags "live and not disruptive"`,
    });
  // vitest's parser loops forever on a single `&` or `|`.
  const single = /[&|]/.exec(expression.replaceAll(/&&|\|\|/g, ''))?.[0];
  if (single !== undefined) throw bad(`unexpected "${single}"`);
  try {
    createTagsFilter(
      [expression],
      known.map((name) => ({ name })),
    );
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
