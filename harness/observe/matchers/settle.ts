/** Converts a predicate result into the outcome of a vitest matcher. */
import { InfrastructureError, NameMissing } from '../../core/errors.ts';
import type { PredicateResult } from '../predicates/result.ts';
import { PredicateFailure } from './predicate-failure.ts';
import { reportResult } from './result-sink.ts';
import type { WorkloadHandle } from './workload-handle.ts';
import { isWorkloadHandle } from './workload-handle.ts';

/** The part of a matcher's `this` that is used here. */
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
 * Throws PredicateFailure itself, because an error made by vitest cannot carry the result.
 *
 * @throws PredicateFailure when the assertion fails; NameMissing when what it is about has another name
 * @throws InfrastructureError `E_VACUOUS` when an ok result is blank: nothing was examined, which is a defect of the predicate
 */
export function settle(context: MatcherContext, result: PredicateResult): MatcherOutcome {
  reportResult(result);
  if (result.ok && isBlank(result)) {
    throw new InfrastructureError(
      'E_VACUOUS',
      'the predicate result is ok, but has no expected or no actual and observed text',
      {
        hint: 'A predicate has to fill expected, and actual or observed.',
        details: { result },
      },
    );
  }
  if (!result.ok && result.nameMissing !== undefined) throw new NameMissing(result.nameMissing);
  const negated = context.isNot === true;
  if (result.ok === negated) throw new PredicateFailure(result, { negated });
  return {
    pass: result.ok,
    message: () => result.actual,
    expected: result.expected,
    actual: result.actual,
  };
}

function isBlank(result: PredicateResult): boolean {
  const blank = (text: string): boolean => text.trim() === '';
  return blank(result.expected) || [result.actual, ...(result.observed ?? [])].every(blank);
}

export function workload(received: unknown, matcher: string): WorkloadHandle {
  if (isWorkloadHandle(received)) return received;
  throw new InfrastructureError(
    'E_MATCHER',
    `${matcher} needs a workload, for example expect(release.deployment('web'))`,
  );
}
