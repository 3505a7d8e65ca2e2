/** What a check of the library answers: pure data, turned into an assertion by a matcher. */
export interface PredicateResult {
  ok: boolean;
  /** The promise, as a noun phrase or sentence: `3 available replicas`. */
  expected: string;
  /** What is the case. */
  actual: string;
  /** What was seen, for the report, also when it is fine. */
  observed?: string[];
  /** One line for each thing that is wrong. */
  details?: string[];
}

/** Holds when there is no complaint; otherwise the complaints are what is the case. */
export function nothingWrong(expected: string, complaints: readonly string[]): PredicateResult {
  const [first] = complaints;
  if (first === undefined) return { ok: true, expected, actual: 'nothing is wrong' };
  const more = complaints.length === 1 ? '' : ` (and ${complaints.length - 1} more)`;
  return { ok: false, expected, actual: `${first}${more}`, details: [...complaints] };
}
