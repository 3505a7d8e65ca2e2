/** What holds a moment after what it follows from: several controllers write about one pod, each when it comes to it. */
import type { Clock } from '../../core/deadline.ts';
import { waitFor, WaitTimeout } from '../../core/deadline.ts';
import type { PredicateResult } from '../predicates/result.ts';

export interface Eventually {
  /** Default 20 000 ms: a controller that is late, not a change that takes time. */
  timeoutMs?: number;
  signal?: AbortSignal;
  clock?: Clock;
}

/** Asks until the verdict is ok or the time is over; the last one, whatever it says, is what is to be judged. */
export async function eventually(
  ask: () => Promise<PredicateResult>,
  { timeoutMs = 20_000, ...limits }: Eventually = {},
): Promise<PredicateResult> {
  let last: PredicateResult | undefined;
  try {
    return await waitFor<PredicateResult>({
      ...limits,
      what: 'a verdict to hold',
      timeoutMs,
      intervalMs: 500,
      look: async () => {
        last = await ask();
        return last.ok ? { done: true, value: last } : { done: false, seen: last.actual };
      },
    });
  } catch (error) {
    if (last && error instanceof WaitTimeout) return last;
    throw error;
  }
}
