/** Polls a predicate until it holds, because controllers update related objects one after the other. */
import type { Clock } from '../../core/deadline.ts';
import { waitFor, WaitTimeout } from '../../core/deadline.ts';
import type { PredicateResult } from '../predicates/result.ts';

export interface EventuallyOptions {
  /** Default 20 000 ms: covers the delay of a controller, not a slow change. */
  timeoutMs?: number;
  signal?: AbortSignal;
  clock?: Clock;
}

/** Returns the first result that is ok or final; on timeout the last result, which the caller asserts. */
export async function eventually(
  look: () => Promise<PredicateResult>,
  { timeoutMs = 20_000, ...limits }: EventuallyOptions = {},
): Promise<PredicateResult> {
  let last: PredicateResult | undefined;
  try {
    return await waitFor<PredicateResult>({
      ...limits,
      what: 'a predicate to hold',
      timeoutMs,
      intervalMs: 500,
      look: async () => {
        last = await look();
        return last.ok || last.isFinal ? { done: true, value: last } : { done: false, seen: last.actual };
      },
    });
  } catch (error) {
    if (last && error instanceof WaitTimeout) return last;
    throw error;
  }
}
