/** From a verdict to what vitest wants of a matcher. */
import { CheckFailure } from '../../core/errors.ts';
import type { PredicateResult } from '../predicates/result.ts';
import { reportResult } from './result-sink.ts';
import type { WorkloadHandle } from './subject.ts';
import { isWorkloadHandle } from './subject.ts';
import { PredicateFailure } from './predicate-failure.ts';

/** What vitest binds `this` to in a matcher, as far as it is used here. */
export interface MatcherContext {
  /** vitest leaves it undefined where its types say false. */
  isNot: boolean | undefined;
}

export interface MatcherOutcome {
  pass: boolean;
  message: () => string;
  expected: string;
  actual: string;
}

/**
 * Passes a verdict on to vitest. It throws by itself where vitest would, because vitest's own error cannot carry the verdict.
 *
 * @throws PredicateFailure when the assertion fails; CheckFailure E_VACUOUS for a verdict that holds without having looked at anything
 */
export function settle(context: MatcherContext, verdict: PredicateResult): MatcherOutcome {
  reportResult(verdict);
  if (verdict.ok && saysNothing(verdict)) {
    throw new CheckFailure(
      'E_VACUOUS',
      'the verdict holds, but says neither what it expected nor what it saw',
      {
        hint: 'A verdict has to fill expected, and actual or observed.',
        details: { verdict },
      },
    );
  }
  const negated = context.isNot === true;
  if (verdict.ok === negated) throw new PredicateFailure(verdict, { negated });
  return {
    pass: verdict.ok,
    message: () => verdict.actual,
    expected: verdict.expected,
    actual: verdict.actual,
  };
}

function saysNothing(verdict: PredicateResult): boolean {
  const blank = (text: string): boolean => text.trim() === '';
  const seen = [verdict.actual, ...(verdict.observed ?? [])];
  return blank(verdict.expected) || seen.every(blank);
}

/** The received value as a workload handle. */
export function workload(received: unknown, matcher: string): WorkloadHandle {
  if (isWorkloadHandle(received)) return received;
  throw new CheckFailure(
    'E_MATCHER',
    `${matcher} needs a workload, for example expect(release.deployment('web'))`,
  );
}
