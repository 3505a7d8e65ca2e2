/** Tools of graded similarity to one query, so that a threshold and a limit each leave some of them out. */
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { FoundTool, RegistryApi } from './api-client.ts';

export const GRADED_QUERY =
  'measure wind speed above the northern harbour every full hour then warn all ships that want to leave before noon';

/** Each description has all words of the query and this many others: the more, the less similar it is. */
const OTHER_WORDS = [0, 1, 2, 3, 6, 9, 12, 16, 24, 34];

export async function registerGradedTools(api: RegistryApi): Promise<void> {
  for (const count of OTHER_WORDS) {
    const others = Array.from({ length: count }, (_, index) => `unrelated${index}`);
    await api.register({ name: `graded${count}`, description: [GRADED_QUERY, ...others].join(' ') });
  }
}

/**
 * What a search has to return, derived from the same search without threshold and limit.
 *
 * @param all every tool with its similarity, the most similar first
 * @throws CheckFailure E_VACUOUS when threshold and limit leave all tools or none: then the answer proves nothing
 */
export function expectedAnswer(
  all: readonly FoundTool[],
  { threshold, limit }: { threshold: number; limit: number },
): FoundTool[] {
  const left = all.filter((tool) => tool.similarity >= threshold).slice(0, limit);
  if (left.length > 0 && left.length < all.length) return left;
  throw new CheckFailure(
    'E_VACUOUS',
    `threshold ${threshold} and limit ${limit} leave ${left.length} of ${all.length} tools with similarities ${all.map((t) => t.similarity).join(', ') || '(none)'}`,
    { hint: "The check's tools do not have the similarities to its query that it needs." },
  );
}
