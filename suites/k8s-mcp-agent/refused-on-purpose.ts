import type { UsageError } from '../../harness/core/errors.ts';
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';

/** What templates and YAML report when nobody thought of the case. */
const ACCIDENT =
  /nil pointer|can't evaluate field|wrong type for value|incompatible types|index out of range|does not render valid YAML|map has no entry/;

/**
 * The chart rejects these values itself, in a message or in its schema, and names what is wrong with them. The words are the chart's.
 *
 * @param error why the chart did not render
 * @param what completes the sentence "… is refused"
 * @param about matches a message that names the subject of the refusal
 */
export function refusedOnPurpose(error: UsageError, what: string, about: RegExp): PredicateResult {
  const expected = `${what} is refused with a message about it`;
  const { code, message } = error;
  // The path of the template does not count.
  const said = code === 'E_TEMPLATE' ? message.slice(message.indexOf(': ') + 2) : message;
  const byChart = code === 'E_TEMPLATE' || code === 'E_VALUES_SCHEMA';
  if (!byChart || ACCIDENT.test(message)) return { ok: false, expected, actual: `an accident: ${message}` };
  return { ok: about.test(said), expected, actual: message };
}
