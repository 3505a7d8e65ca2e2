/** References between manifests. */
import type { ReferenceReport } from '../../../kube/manifests/references.ts';
import type { PredicateResult } from '../result.ts';
import { selectedNothing } from '../select.ts';

/** Every reference resolves. */
export function referencesResolve({ problems, checked }: ReferenceReport): PredicateResult {
  const expected = 'every referenced object, key, volume and port exists';
  if (checked === 0) return selectedNothing(expected, 'the objects have no references');
  const details = problems.map(({ object, path, why }) => `${object} ${path}: ${why}`);
  return {
    ok: problems.length === 0,
    expected,
    actual:
      problems.length === 0
        ? `all ${checked} references resolve`
        : `${problems.length} of ${checked} do not resolve: ${details[0] ?? ''}`,
    observed: [`${checked} references checked`],
    details,
  };
}
