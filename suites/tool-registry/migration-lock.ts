/** Whether replicas that start together migrated one after the other. */
import type { LockSample } from '../../fixtures/services/postgres-types.ts';
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';

/** At every moment at most one connection held the advisory lock of the migrations, and others were seen waiting for it. */
export function oneAtATime(samples: readonly LockSample[]): PredicateResult {
  const holders = samples.map(({ locks }) => locks.filter((lock) => lock.granted).length);
  const waiters = samples.map(({ locks }) => locks.filter((lock) => !lock.granted).length);
  const [most, longest] = [Math.max(0, ...holders), Math.max(0, ...waiters)];
  const details = [
    ...(samples.length === 0 ? ['nobody ever held an advisory lock'] : []),
    ...(most > 1 ? [`${most} connections held an advisory lock at the same time`] : []),
    ...(samples.length > 0 && longest === 0 ? ['nobody was seen waiting for the lock'] : []),
  ];
  const told = `${samples.length} looks at pg_locks: at most ${most} holding an advisory lock, at most ${longest} waiting for it`;
  return {
    ok: details.length === 0,
    expected: 'one replica migrates at a time, behind an advisory lock, and the others wait',
    actual: details[0] ?? 'so it was',
    observed: [told],
    details,
  };
}
