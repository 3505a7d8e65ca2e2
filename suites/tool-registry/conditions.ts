/** What `describe deployment` says under "Conditions". */
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import type { Workload } from '../../harness/kube/api/types.ts';

export type Conditions = NonNullable<NonNullable<Workload['status']>['conditions']>;

/** The Deployment is available, and progressed to the end: by its newest ReplicaSet. */
export function newestIsAvailable(name: string, conditions: Conditions = []): PredicateResult {
  const holds = (type: string, wanted?: string): boolean =>
    conditions.some(
      (c) => c.type === type && c.status === 'True' && (wanted === undefined || c.reason === wanted),
    );
  return {
    ok: holds('Available') && holds('Progressing', 'NewReplicaSetAvailable'),
    expected: `conditions of Deployment ${name}: Available True, Progressing True (NewReplicaSetAvailable)`,
    actual:
      conditions.map((c) => `${c.type} ${c.status} (${c.reason ?? 'no reason'})`).join(', ') ||
      'no condition',
  };
}
