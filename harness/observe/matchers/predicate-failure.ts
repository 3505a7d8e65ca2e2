/** The assertion error of a predicate result: the expected state, the actual state and every deviation. */
import { CheckFailure } from '../../core/errors.ts';
import type { PredicateResult } from '../predicates/result.ts';

export class PredicateFailure extends CheckFailure {
  readonly expected: string;
  readonly actual: string;
  readonly result: PredicateResult;

  constructor(result: PredicateResult, options: { negated: boolean }) {
    super('E_ASSERTION', sentence(result, options.negated), { details: { result } });
    // Reporters and editors treat errors of this name as failed assertions and show expected and actual side by side.
    this.name = 'AssertionError';
    this.expected = options.negated ? `not: ${result.expected}` : result.expected;
    this.actual = result.actual;
    this.result = result;
  }
}

function sentence(result: PredicateResult, negated: boolean): string {
  if (negated) {
    const observed = (result.observed ?? []).map((line) => `  ${line}`);
    return [`did not expect ${result.expected}; found ${result.actual}`, ...observed].join('\n');
  }
  const details = (result.details ?? []).map((line) => `  ${line}`);
  return [`expected ${result.expected}; found ${result.actual}`, ...details].join('\n');
}
