/** Secrets are where they belong, and nowhere else. */
import { createRedactor } from '../../../core/redact.ts';
import type { PredicateResult } from '../result.ts';

export interface Place {
  /** Completes "… tells the password": `the log of container api in pod web-1`. */
  title: string;
  text: string;
}

/**
 * None of the secrets is told anywhere: not as it is, nor in base64, percent-encoded, or escaped for JSON.
 *
 * A complaint names the secret and the line that has it; it never repeats it.
 *
 * @param secrets values by what they are, `{ 'database password': … }`
 */
export function tellsNoSecret(
  places: readonly Place[],
  secrets: Readonly<Record<string, string>>,
): PredicateResult {
  const named = Object.entries(secrets);
  const details = places.flatMap(({ title, text }) =>
    named.flatMap(([name, value]) => {
      const line = firstLineWith(text, value);
      return line === undefined ? [] : [`${title} tells the ${name} in line ${line}`];
    }),
  );
  const length = places.reduce((sum, { text }) => sum + text.length, 0);
  const looked = `${places.length} places with ${length} characters`;
  const names = named.map(([name]) => name).join(', ');
  const [first] = details;
  return {
    // Where nothing is said, or no secret is known, nothing can be told.
    ok:
      length > 0 && named.length > 0 && named.every(([, value]) => value.length >= 8) && details.length === 0,
    expected: `${names || 'at least one secret'} told nowhere`,
    actual: first ?? `not told in ${looked}`,
    observed: [`${looked} looked through for ${names}`],
    details,
  };
}

function firstLineWith(text: string, secret: string): number | undefined {
  const redact = createRedactor([secret]);
  // Almost always all is well: one look at the whole text.
  if (redact(text) === text) return undefined;
  const index = text.split('\n').findIndex((line) => redact(line) !== line);
  return Math.max(index, 0) + 1;
}
