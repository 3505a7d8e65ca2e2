/** `expect(result).toHold()`, for predicates without a matcher of their own. */
import type { PredicateResult } from '../predicates/result.ts';
import type { MatcherContext, MatcherOutcome } from './settle.ts';
import { settle } from './settle.ts';

export interface PredicateMatchers<R = unknown> {
  /** The PredicateResult, or the promise of one, is ok. */
  toHold(): R;
}

export const predicateMatchers = {
  toHold(
    this: MatcherContext,
    received: PredicateResult | Promise<PredicateResult>,
  ): MatcherOutcome | Promise<MatcherOutcome> {
    // A value is settled synchronously, so that a forgotten await cannot hide a failure.
    if (received instanceof Promise) return received.then((result) => settle(this, result));
    return settle(this, received);
  },
};
