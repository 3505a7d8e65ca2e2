/** The assertion error of a verdict: what was expected, what was found, and every deviation. */
import { CheckFailure } from '../../core/errors.ts';
import type { PredicateResult } from '../predicates/result.ts';

export class PredicateFailure extends CheckFailure {
  readonly expected: string;
  readonly actual: string;
  readonly verdict: PredicateResult;

  constructor(verdict: PredicateResult, options: { negated: boolean }) {
    super('E_ASSERTION', sentence(verdict, options.negated), { details: { verdict } });
    // Reporters and editors treat errors of this name as failed assertions and show expected beside actual.
    this.name = 'AssertionError';
    this.expected = options.negated ? `not: ${verdict.expected}` : verdict.expected;
    this.actual = verdict.actual;
    this.verdict = verdict;
  }
}

function sentence(verdict: PredicateResult, negated: boolean): string {
  if (negated) {
    const seen = (verdict.observed ?? []).map((line) => `  ${line}`);
    return [`did not expect ${verdict.expected}, but it is so: ${verdict.actual}`, ...seen].join('\n');
  }
  const details = (verdict.details ?? []).map((line) => `  ${line}`);
  return [`expected ${verdict.expected}; found ${verdict.actual}`, ...details].join('\n');
}
