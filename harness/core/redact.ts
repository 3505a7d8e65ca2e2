/** Keeps secrets out of everything that is written: each occurrence becomes `•••`. */
export type Redact = (text: string) => string;

const mask = '•••';
/** Shorter strings occur by chance everywhere; replacing them would make a report unreadable and hide nothing. */
const shortest = 4;

/**
 * A function that replaces every secret, also in the forms in which Kubernetes and tools show it: base64 (Secret data, at
 * any alignment of a longer value), URL-encoded, escaped for JSON.
 *
 * Secrets shorter than four characters are not looked for.
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
  // The longest first: a secret that contains another one must not leave its rest behind.
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
 * Base64 depends on where in the longer value the secret stands (modulo 3 bytes). The characters at both ends mix with
 * the neighbours' bits, so only the middle that is the same for every neighbour is looked for.
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

/** The same value with every string in it, keys included, redacted. */
export function redactDeep<T>(value: T, redact: Redact): T {
  return walk(value, redact) as T;
}

function walk(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), walk(item, redact)]));
}
