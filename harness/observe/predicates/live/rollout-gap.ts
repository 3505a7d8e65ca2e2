/** How far a rollout has come. */
import { count } from '../../../core/wording.ts';
import type { Pod, Workload } from '../../../kube/api/types.ts';

/** What the rollout still lacks, in one phrase; undefined when it is complete. Source: `kubectl rollout status`. */
export function rolloutGap(workload: Workload, pods: readonly Pod[]): string | undefined {
  if (isUnobserved(workload)) return 'the controller has not seen the latest spec yet';
  const status = workload.status ?? {};
  const daemon = workload.kind === 'DaemonSet';
  const wanted = daemon ? (status.desiredNumberScheduled ?? 0) : (workload.spec.replicas ?? 1);
  const updated = (daemon ? status.updatedNumberScheduled : status.updatedReplicas) ?? 0;
  const available = (daemon ? status.numberAvailable : status.availableReplicas) ?? 0;
  const total = daemon ? wanted : (status.replicas ?? 0);
  const replicas = daemon ? count(wanted, 'node') : count(wanted, 'replica');
  if (updated < wanted) return `${updated} of ${replicas} updated, ${available} available`;
  if (available < wanted) return `${available} of ${replicas} available`;
  if (total > wanted) return `${count(total - wanted, 'old replica')} still there`;
  const leaving = pods.filter((p) => p.metadata.deletionTimestamp !== undefined).length;
  if (leaving > 0) return `all of ${replicas} available, ${count(leaving, 'old pod')} still terminating`;
  return undefined;
}

/** The status still describes an older spec. */
export function isUnobserved({ metadata, status }: Workload): boolean {
  return (status?.observedGeneration ?? 0) < (metadata.generation ?? 0);
}
