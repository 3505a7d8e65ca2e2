/** Whether replicas that start together migrate one after another. */
import type { LockSample } from '../../../fixtures/services/postgres-types.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';

/** In every sample at most one connection holds the migrations' advisory lock, and in some of them others wait for it. */
export function oneAtATime(samples: readonly LockSample[]): PredicateResult {
  const holders = samples.map(({ locks }) => locks.filter((lock) => lock.granted).length);
  const waiters = samples.map(({ locks }) => locks.filter((lock) => !lock.granted).length);
  const [most, longest] = [Math.max(0, ...holders), Math.max(0, ...waiters)];
  const details = [
    ...(samples.length === 0 ? ['no connection held an advisory lock'] : []),
    ...(most > 1 ? [`${most} connections held an advisory lock at the same time`] : []),
    ...(samples.length > 0 && longest === 0 ? ['no connection waited for the lock'] : []),
  ];
  const seen = `${samples.length} samples of pg_locks: at most ${most} holding an advisory lock, at most ${longest} waiting for it`;
  return {
    ok: details.length === 0,
    expected: 'one replica at a time holds an advisory lock and migrates, and the others wait for it',
    actual: details[0] ?? seen,
    observed: [seen],
    details,
  };
}
