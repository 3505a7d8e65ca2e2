/** Replaces every secret in a text with `•••`. */
export type Redact = (text: string) => string;

const mask = '•••';
/** Shorter strings occur everywhere by chance; replacing them would make a report unreadable. */
const shortest = 4;

/**
 * Returns a function that replaces every secret, also in the forms that Kubernetes and tools print: base64 (also inside a longer
 * encoded value), URL-encoded, escaped for JSON. Secrets shorter than four characters are ignored.
 */
export function createRedactor(secrets: readonly string[]): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    for (const text of [secret, secret.trim()]) {
      if (text.length < shortest) continue;
      for (const form of formsOf(text)) forms.add(form);
    }
  }
  if (forms.size === 0) return (text) => text;
  // Longest first: when one secret contains another, all of it must be replaced.
  const alternatives = [...forms].sort((a, b) => b.length - a.length).map((form) => escapeRegExp(form));
  const pattern = new RegExp(alternatives.join('|'), 'g');
  return (text) => text.replace(pattern, mask);
}

function formsOf(secret: string): string[] {
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  if (secret.length >= 8) forms.push(...base64Forms(secret));
  else forms.push(Buffer.from(secret).toString('base64'));
  return forms;
}

/**
 * The base64 form depends on the secret's offset in the longer value, modulo 3 bytes. The characters at both ends also encode bits of
 * neighbouring bytes, so only the invariant middle is matched.
 */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor(((offset + bytes.length) * 8) / 6);
    const middle = encoded.slice(from, to);
    return [middle, middle.replace(/\+/g, '-').replace(/\//g, '_')];
  });
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** A copy of the value with every string redacted, keys included. */
export function redactDeep<T>(value: T, redact: Redact): T {
  return walk(value, redact) as T;
}

function walk(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), walk(item, redact)]));
}
