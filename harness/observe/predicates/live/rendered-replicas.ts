/** The replicas of a workload against what its manifests state. */
import type { Pod, Workload } from '../../../kube/api/types.ts';
import { field } from '../../../kube/manifests/objects.ts';
import type { ExpectedReplicas } from '../../../kube/manifests/model/model.ts';
import type { PredicateResult } from '../result.ts';
import { replicas } from './workload.ts';

/**
 * As many replicas are ready and available as the manifests state, and every pod is of the newest revision. An autoscaler may have chosen
 * any number within its bounds.
 *
 * @param pods the workload's own pods, without terminating ones
 */
export function replicasAsRendered(
  workload: Workload,
  pods: readonly Pod[],
  { least, most, statedBy }: ExpectedReplicas,
): PredicateResult {
  const chosen = workload.spec.replicas ?? 1;
  const wanted = Math.min(Math.max(chosen, least), most);
  const result = replicas(workload, pods, wanted);
  const old = oldPods(workload, pods);
  // Only an autoscaler, which chooses within a range, would change the number.
  const isFinal = least === most && chosen !== least;
  return {
    ...result,
    ...(isFinal && { isFinal }),
    ok: result.ok && old.length === 0,
    expected: `${result.expected}, by ${statedBy}`,
    actual: old[0] ?? (result.ok ? result.actual : [result.actual, ...(result.details ?? [])].join('; ')),
    details: [...(result.details ?? []), ...old],
  };
}

/** Pods of an older revision of a StatefulSet; other controllers count them in their status. */
function oldPods({ kind, spec, status }: Workload, pods: readonly Pod[]): string[] {
  const newest = field(status, 'updateRevision');
  if (kind !== 'StatefulSet' || typeof newest !== 'string') return [];
  const strategy = spec['updateStrategy'];
  // Both keep pods of the older revision on purpose.
  const partition = field(field(strategy, 'rollingUpdate'), 'partition');
  if (field(strategy, 'type') === 'OnDelete' || (typeof partition === 'number' && partition > 0)) return [];
  return pods
    .filter(({ metadata }) => metadata.labels?.['controller-revision-hash'] !== newest)
    .map(({ metadata }) => `${metadata.name} is of an older revision than ${newest}`);
}
