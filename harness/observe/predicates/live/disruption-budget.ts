/** What a PodDisruptionBudget allows, by its own status. */
import { count } from '../../../core/wording.ts';
import type { Condition, KubeObject } from '../../../kube/api/types.ts';
import { field, nameOf } from '../../../kube/manifests/objects.ts';

/**
 * Why the budget will not allow an eviction; `undefined` while it may: as long as one of its pods is not healthy, it may be the last
 * eviction that it waits for.
 */
export function neverAllows(budget: KubeObject): string | undefined {
  const { spec, status } = budget as { spec?: unknown; status?: unknown };
  const number = (key: string): number => Number(field(status, key) ?? 0);
  if (number('observedGeneration') < (budget.metadata.generation ?? 0)) return undefined;
  const title = nameOf({ ...budget, kind: 'PodDisruptionBudget' });
  const conditions = (field(status, 'conditions') ?? []) as Condition[];
  const failed = conditions.find(({ reason }) => reason === 'SyncFailed');
  if (failed) return `${title} allows no eviction: ${failed.message ?? 'its pods cannot be counted'}`;
  const [healthy, expected] = [number('currentHealthy'), number('expectedPods')];
  if (number('disruptionsAllowed') > 0 || expected === 0 || healthy < expected) return undefined;
  const rule = ['minAvailable', 'maxUnavailable'].flatMap((key) => {
    const value = field(spec, key);
    return value === undefined ? [] : [`${key} ${JSON.stringify(value)}`];
  });
  const all = expected === 1 ? 'its only pod is' : `all of its ${count(expected, 'pod')} are`;
  return `${title} (${rule.join(', ') || 'minAvailable 1'}) allows no eviction although ${all} healthy`;
}
