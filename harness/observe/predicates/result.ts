/** What a predicate returns: pure data; the matcher `toHold` turns it into an assertion. */
export interface PredicateResult {
  ok: boolean;
  /** The expected state, as a noun phrase or sentence: `3 available replicas`. */
  expected: string;
  actual: string;
  /** What was examined, for the report; also filled when the predicate holds. */
  observed?: string[];
  /** One line for each deviation. */
  details?: string[];
  /** It does not hold, and nothing that runs will change that: a wait ends. */
  isFinal?: true;
  /** What lacks its documented name: `Deployment app has no container api`. Only a requirement about names is broken then. */
  nameMissing?: string;
}

/** Holds when there are no complaints; otherwise `actual` is the first of them. */
export function nothingWrong(expected: string, complaints: readonly string[]): PredicateResult {
  const [first] = complaints;
  if (first === undefined) return { ok: true, expected, actual: 'nothing is wrong' };
  const more = complaints.length === 1 ? '' : ` (and ${complaints.length - 1} more)`;
  return { ok: false, expected, actual: `${first}${more}`, details: [...complaints] };
}
