import { count } from '../../../core/wording.ts';
import type { Pod, Workload } from '../../../kube/api/types.ts';

/** What is missing to a complete rollout, in one phrase; undefined when nothing is. Source: `kubectl rollout status`. */
export function rolloutGap(workload: Workload, pods: readonly Pod[]): string | undefined {
  if (isUnseen(workload)) return 'the controller has not seen the latest spec yet';
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

/** The controller has not seen the latest spec yet, so that the status speaks of an older one. */
export function isUnseen({ metadata, status }: Workload): boolean {
  return (status?.observedGeneration ?? 0) < (metadata.generation ?? 0);
}
