/** The checks of the suite for any chart that another suite runs on its own subject, so that no requirement is implemented twice. */
import type { Requirement } from './requirements.ts';
import type { Check } from './check.ts';
import type { SuiteDefinition } from './definition.ts';

/**
 * The generic checks of the suite's shared requirements that it has no check of its own for.
 *
 * @param generic checks of the suite for any chart
 * @param rows the suite's own requirements
 * @param own the suite's own checks
 */
export function adoptedChecks(
  generic: readonly Check[],
  {
    suite,
    rows,
    own,
  }: {
    suite: Pick<SuiteDefinition, 'name' | 'shared'>;
    rows: readonly Pick<Requirement, 'id' | 'checkedBy'>[];
    own: readonly Check[];
  },
): Check[] {
  const checked = new Set(own.flatMap(({ requirements }) => requirements));
  return generic.flatMap((check) => {
    const shared = check.requirements.filter((id) => suite.shared.includes(id) && !checked.has(id));
    const mapped = rows.filter(({ checkedBy }) => checkedBy !== undefined && shared.includes(checkedBy));
    if (shared.length === 0) return [];
    // The suite has a check of its own that reports when the shared release does not become ready.
    const options = { ...check.options, first: false };
    const requirements = [...shared, ...mapped.map(({ id }) => id)];
    return [{ ...check, suite: suite.name, requirements, options }];
  });
}
