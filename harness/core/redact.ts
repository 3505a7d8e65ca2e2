/** Replaces secrets in everything that a run writes or shows. */
import { isCredentialKey, MASK, maskUserinfo } from './credentials.ts';
import { escapeRegExp, SecretSearch, type Span } from './secret-search.ts';
import { formsOf, percentEncoded, secretsInside } from './secret-forms.ts';

/**
 * Replaces every secret in a text with `•••`.
 *
 * @param name under which the text stands, such as a key of an object: a short secret is only recognized by it
 */
export type Redact = (text: string, name?: string) => string;

export interface SecretValue {
  text: string;
  /** The name that the value is given to: a key of a Secret. */
  key?: string;
  /** Occurs everywhere by chance, so it is only replaced behind the name of a credential. */
  weak?: boolean;
}

export interface FoundSecrets {
  values: readonly SecretValue[];
  /** Names of objects, containers, images. A secret value that is also a name is replaced only behind the name of a credential. */
  names?: readonly string[];
}

/** Values of this length are not replaced everywhere: they are words, numbers and flags. */
const SHORT = 8;
/** Neither secret nor rare: `password: true` stays readable. */
const TRIVIAL = /^(?:.{0,2}|\d{3}|(.)\1*|true|false|yes|null|none|nil|off|default|enabled|disabled)$/is;
/** Longer than 7 characters, and in reports for other reasons: they are replaced only behind the name of a credential. */
const COMMON =
  /^(?:passwords?|postgres(?:ql)?|username|database|changeme|localhost|127\.0\.0\.1|mongodb|rabbitmq|elastic(?:search)?|administrator|development|production|internal|external|kubernetes|container|namespace|deployment|configmap|service|registry|application)$/i;
/** Keys of a Secret whose value is no secret: `username`, `DB_HOST`. */
const NAMES_OF_NAMES =
  /(?:^|[-_.]|[a-z](?=[A-Z]))(?:user(?:name)?|login|host(?:name)?|port|database|db(?:name)?|name|namespace|type|scheme|engine|driver|region|role|sslmode|email|server)$/i;

/**
 * Knows the secrets of a run, and learns further ones while it runs.
 *
 * docs/decisions/0029-redaction.md has the rules: which values are replaced, in which encodings, and what is not found.
 */
export class Redactor {
  readonly #search = new SecretSearch();
  readonly #known = new Map<string, SecretValue>();
  readonly #names = new Set<string>();
  readonly #weak = new Set<string>();
  readonly #weakKeys = new Set<string>();
  #weakPattern: RegExp | undefined;

  constructor(found: FoundSecrets = { values: [] }) {
    this.learn(found);
  }

  /** Everything that was learned, for another thread; parts of values are left out. */
  get known(): FoundSecrets {
    return { values: [...this.#known.values()], names: [...this.#names] };
  }

  /** @returns whether there was a new value */
  learn({ values, names = [] }: FoundSecrets): boolean {
    for (const name of names) this.#names.add(name);
    const before = this.#known.size;
    for (const value of values) this.#learn(value);
    return this.#known.size > before;
  }

  #learn(value: SecretValue): void {
    const text = value.text.trim();
    if (TRIVIAL.test(text) || text.includes(MASK)) return;
    const known = { ...value, text, weak: value.weak === true || this.#isWeak(text, value.key) };
    const earlier = this.#known.get(text);
    // A user name that is used as a password, too, is a password.
    if (earlier && (!earlier.weak || known.weak)) return;
    this.#known.set(text, known);
    this.#add(known);
    for (const inner of secretsInside(text)) {
      const trimmed = inner.text.trim();
      if (trimmed === text || TRIVIAL.test(trimmed)) continue;
      this.#add({ ...inner, text: trimmed, weak: this.#isWeak(trimmed, inner.key) });
    }
  }

  #isWeak(text: string, key: string | undefined): boolean {
    return (
      text.length < SHORT ||
      COMMON.test(text) ||
      this.#names.has(text) ||
      (key !== undefined && NAMES_OF_NAMES.test(key))
    );
  }

  #add({ text, key, weak }: SecretValue): void {
    if (weak) {
      this.#weak.add(text);
      if (key !== undefined) this.#weakKeys.add(plainKey(key));
      this.#weakPattern = undefined;
      return;
    }
    for (const form of formsOf(text)) this.#search.add(form.text, form.mayBeCut);
  }

  /** Masks the secrets, and the password of every address with one. */
  readonly redact: Redact = (text, name) => maskUserinfo(this.redactKnown(text, name));

  /** Masks the secrets only. */
  readonly redactKnown: Redact = (text, name) => {
    if (name !== undefined && this.#weak.has(text.trim()) && this.#isCredential(name)) return MASK;
    return this.#redactWeak(masked(text, this.#search.find(text)));
  };

  #redactWeak(text: string): string {
    if (this.#weak.size === 0) return text;
    this.#weakPattern ??= weakPattern(this.#weak);
    return text.replace(this.#weakPattern, (whole: string, encoded: string | undefined, at: number) =>
      encoded !== undefined || this.#isNamedBefore(text, at) ? MASK : whole,
    );
  }

  /** `password=…`, `"token": "…"`, `name: API_KEY⏎ value: …`, `password is …` */
  #isNamedBefore(text: string, at: number): boolean {
    const before = text.slice(Math.max(0, at - 120), at);
    const [, word] =
      /([\w.-]{1,64})["'\\]*(?:\s*[:=]>?\s*|\s*,?\s*["'\\]*value["'\\]*\s*[:=]\s*|\s+(?:is\s+)?)["'\\]*$/i.exec(
        before,
      ) ?? [];
    return word !== undefined && this.#isCredential(word);
  }

  #isCredential(name: string): boolean {
    return isCredentialKey(name) || this.#weakKeys.has(plainKey(name));
  }
}

/** A redactor for these values only. */
export function createRedactor(secrets: readonly string[]): Redact {
  return new Redactor({ values: secrets.map((text) => ({ text })) }).redactKnown;
}

/** Each weak value as a whole word, or its base64 form, which does not occur by chance and is captured. */
function weakPattern(values: ReadonlySet<string>): RegExp {
  const spellings = [...values].flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
    percentEncoded(text),
  ]);
  const encodings = [...values].map((text) => Buffer.from(text).toString('base64').replace(/=+$/, ''));
  const rare = alternatives(encodings.filter((text) => text.length >= 6)) || '(?!)';
  return new RegExp(
    `(?<![A-Za-z0-9+/=])(${rare})={0,2}(?![A-Za-z0-9+/=])|(?<![A-Za-z0-9])(?:${alternatives(spellings)})(?![A-Za-z0-9])`,
    'g',
  );
}

/** Longest first: one value may start with another. */
function alternatives(texts: readonly string[]): string {
  return [...new Set(texts)]
    .sort((a, b) => b.length - a.length)
    .map(escapeRegExp)
    .join('|');
}

function plainKey(key: string): string {
  return key.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function masked(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text;
  let shown = '';
  let at = 0;
  for (const { start, end } of spans) {
    shown += text.slice(at, start) + MASK;
    at = end;
  }
  return shown + text.slice(at);
}

/** A copy of the value with every string redacted, keys included. */
export function redactDeep<T>(value: T, redact: Redact): T {
  return walk(value, redact) as T;
}

function walk(value: unknown, redact: Redact, name?: string): unknown {
  if (typeof value === 'string') return redact(value, name);
  if (Array.isArray(value)) return value.map((item) => walk(item, redact, name));
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value;
  // An environment variable: { name: 'PASSWORD', value: '…' }
  const { name: variable } = value as { name?: unknown };
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      redact(key),
      walk(item, redact, key === 'value' && typeof variable === 'string' ? variable : key),
    ]),
  );
}
