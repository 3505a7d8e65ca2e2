/** Secrets do not leak into logs and other texts. */
import { createRedactor } from '../../../core/redact.ts';
import type { PredicateResult } from '../result.ts';

export interface Place {
  /** Completes "… contains the password": `the log of container api in pod web-1`. */
  title: string;
  text: string;
}

/**
 * No text contains a secret: neither verbatim nor encoded, escaped, wrapped or truncated (see `Redactor`).
 *
 * A complaint names the secret and the line; it never repeats the value.
 *
 * @param secrets values by name, `{ 'database password': … }`
 */
export function containsNoSecret(
  places: readonly Place[],
  secrets: Readonly<Record<string, string>>,
): PredicateResult {
  const named = Object.entries(secrets);
  const details = places.flatMap(({ title, text }) =>
    named.flatMap(([name, value]) => {
      const line = firstLineWith(text, value);
      return line === undefined ? [] : [`${title} contains the ${name} in line ${line}`];
    }),
  );
  const length = places.reduce((sum, { text }) => sum + text.length, 0);
  const examined = `${places.length} places with ${length} characters`;
  const names = named.map(([name]) => name).join(', ');
  const [first] = details;
  return {
    // An empty text or an unknown secret proves nothing.
    ok:
      length > 0 && named.length > 0 && named.every(([, value]) => value.length >= 8) && details.length === 0,
    expected: `no text contains ${names || 'a secret (at least one has to be given)'}`,
    actual: first ?? `absent in ${examined}`,
    observed: [`searched ${examined} for ${names}`],
    details,
  };
}

function firstLineWith(text: string, secret: string): number | undefined {
  const redact = createRedactor([secret]);
  // Usually the secret is absent: search the whole text once.
  if (redact(text) === text) return undefined;
  const index = text.split('\n').findIndex((line) => redact(line) !== line);
  return Math.max(index, 0) + 1;
}
