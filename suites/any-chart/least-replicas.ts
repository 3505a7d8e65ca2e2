/** How many replicas a workload promises, and what follows from it for what clients notice. */
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';
import { asAdvice } from '../../harness/run/suite/advice.ts';

export function leastOf({ replicas }: ModelWorkload): number {
  return replicas?.least ?? 1;
}

/** With one replica, keeping up the service is advice. */
export function level<T>(workload: ModelWorkload, body: () => Promise<T>): Promise<T> {
  return leastOf(workload) >= 2 ? body() : asAdvice(`${workload.title} has one replica`, body);
}
