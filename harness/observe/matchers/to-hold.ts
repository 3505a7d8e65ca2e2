/** `expect(verdict).toHold()`: for every check that has no matcher of its own. */
import type { PredicateResult } from '../predicates/result.ts';
import type { MatcherContext, MatcherOutcome } from './settle.ts';
import { settle } from './settle.ts';

interface PredicateMatchers<R = unknown> {
  /** A PredicateResult, or the promise of one, is ok. */
  toHold(): R;
}

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-explicit-any, @typescript-eslint/no-unused-vars -- must repeat the type parameters of vitest
  interface Matchers<T = any> extends PredicateMatchers<Promise<void>> {}
}

export const predicateMatchers = {
  toHold(
    this: MatcherContext,
    received: PredicateResult | Promise<PredicateResult>,
  ): MatcherOutcome | Promise<MatcherOutcome> {
    // A value is settled at once, so that a forgotten await cannot turn a failure green.
    if (received instanceof Promise) return received.then((verdict) => settle(this, verdict));
    return settle(this, received);
  },
};
