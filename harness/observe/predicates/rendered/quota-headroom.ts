/** Room in a rendered ResourceQuota for what an update starts beyond the replicas. */
import type { KubeObject } from '../../../kube/api/types.ts';
import type { ModelWorkload } from '../../../kube/manifests/model/model.ts';
import { count } from '../../../core/wording.ts';
import { field, nameOf, ofKind } from '../../../kube/manifests/objects.ts';
import { updateMargins } from '../../../kube/manifests/update-margins.ts';
import { everyOne } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/** How many pods an update starts beyond the replicas, before it ends old ones: maxSurge of a Deployment; 0 for others. */
export function surgeOf({ object, replicas }: ModelWorkload): number {
  if (object.kind !== 'Deployment' || !replicas) return 0;
  return updateMargins(field(object['spec'], 'strategy'), replicas.most).surge;
}

/**
 * Every rendered ResourceQuota that limits the number of pods has room for the replicas and for the pods of the largest update.
 *
 * @param workloads those in the namespace of the quotas whose pods run without an end; a DaemonSet has no number of replicas and counts 0
 * @param objects without a ResourceQuota among them, the result holds for the workloads
 */
export function quotaHasRoom(
  workloads: readonly ModelWorkload[],
  objects: readonly KubeObject[],
): PredicateResult {
  const replicas = workloads.reduce((sum, workload) => sum + (workload.replicas?.most ?? 0), 0);
  const surge = Math.max(0, ...workloads.map(surgeOf));
  const quotas = ofKind(objects, 'ResourceQuota').flatMap((quota) => {
    const hard = field(quota['spec'], 'hard');
    const pods = Number(field(hard, 'pods') ?? field(hard, 'count/pods') ?? Number.NaN);
    return Number.isNaN(pods) ? [] : [{ quota, pods }];
  });
  if (quotas.length === 0 && workloads.length > 0)
    return { ok: true, expected: 'room for an update', actual: 'no rendered ResourceQuota limits the pods' };
  return everyOne(quotas, {
    expected: 'every rendered ResourceQuota has room for an update',
    what: 'ResourceQuotas that limit the pods',
    title: ({ quota }) => nameOf(quota),
    wrong: ({ pods }) =>
      pods >= replicas + surge
        ? undefined
        : `allows pods=${pods}, and the release has ${count(replicas, 'replica')}: the new ReplicaSet of an update may not start ${count(surge, 'pod')} more (maxSurge)`,
  });
}
