/** Everything that the manifests refer to exists. */
import type { KubeObject } from '../../../kube/api/types.ts';
import { checkReferences } from '../../../kube/manifests/references.ts';
import type { Lookup } from '../../../kube/manifests/reference.ts';
import { selectedNothing } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/** Every reference resolves among the rendered objects or, through `lookup`, in the cluster. */
export async function referencesResolve(
  objects: readonly KubeObject[],
  lookup?: Lookup,
): Promise<PredicateResult> {
  const expected = 'every referenced object, key, volume and port exists';
  const { problems, checked } = await checkReferences(objects, lookup);
  const details = problems.map(({ object, path, why }) => `${object} ${path}: ${why}`);
  if (checked === 0) return selectedNothing(expected, `the ${objects.length} objects refer to nothing`);
  return {
    ok: problems.length === 0,
    expected,
    actual:
      problems.length === 0
        ? `all ${checked} references resolve`
        : `${problems.length} of ${checked} do not resolve: ${details[0] ?? ''}`,
    observed: [`${checked} references of ${objects.length} objects followed`],
    details,
  };
}
