/** How a secret is written elsewhere: encoded, or a part of it alone. */
import { isCredentialKey } from './credentials.ts';

export interface Form {
  text: string;
  /** Whether the start of it gives the secret away; not so with text that starts like many others, such as a URL or a document. */
  mayBeCut: boolean;
}

/** Longer values are files; encodings of encodings of them would fill the memory. */
const LONG = 8192;
/** Line lengths of MIME (RFC 2045, 6.8) and PEM (RFC 7468, 2). A log puts something before each line. */
const LINE_LENGTHS = [64, 76] as const;

/**
 * A secret, its base64 and hexadecimal forms, and base64 of base64. Escapes need no form of their own: `SecretSearch` decodes them.
 */
export function formsOf(secret: string): Form[] {
  const isToken = !/[\r\n]|:\/\/|^[{[<]/.test(secret);
  const encoded = secret.length > LONG ? [secret] : escapedForms(secret);
  const once = encoded.flatMap((text) => base64Forms(Buffer.from(text)));
  const twice =
    secret.length > LONG
      ? []
      : base64Forms(Buffer.from(secret)).flatMap((text) => base64Forms(Buffer.from(text)));
  const hex = Buffer.from(secret).toString('hex');
  const others = [
    ...once,
    ...twice,
    ...linesOf(Buffer.from(secret).toString('base64')),
    hex,
    hex.toUpperCase(),
  ];
  return [
    { text: secret, mayBeCut: isToken },
    ...[...new Set(others)].map((text) => ({ text, mayBeCut: true })),
  ];
}

/** Base64 may encode a text in which the secret is escaped: for JSON, for JSON in HTML (as Go does), or for a URL. */
function escapedForms(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const inHtml = json.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
  return [...new Set([secret, json, inHtml, percentEncoded(secret)])];
}

/** Like encodeURIComponent, which throws for half of a surrogate pair. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

/**
 * The base64 form depends on the secret's offset in the longer value, modulo 3 bytes. The characters at both ends also encode bits of
 * neighbouring bytes, so only the invariant middle is matched.
 */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor(((offset + bytes.length) * 8) / 6);
    return encoded.slice(from, to);
  });
}

/** The lines of a wrapped text, if it has several. */
function linesOf(text: string): string[] {
  return LINE_LENGTHS.flatMap((length) =>
    text.length <= length ? [] : (text.match(new RegExp(`.{1,${length}}`, 'g')) ?? []),
  ).filter((line) => line.length >= 16);
}

/**
 * Secrets inside a secret, which are also used alone: the password in a connection string, the lines of a PEM file, and what stands
 * under the name of a credential in JSON, YAML or an `.ini` file (the password and `auth` of `.dockerconfigjson`).
 */
export function secretsInside(value: string): { key?: string; text: string }[] {
  return [...userinfoIn(value), ...pemLines(value), ...namedIn(value)];
}

function userinfoIn(value: string): { key: string; text: string }[] {
  return [...value.matchAll(/[a-z][a-z0-9+.-]{1,30}:\/\/[^\s:/?#@]{0,256}:([^\s/]{1,512})@/gi)].flatMap(
    ([, password = '']) => [password, decoded(password)].map((text) => ({ key: 'password', text })),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function pemLines(value: string): { text: string }[] {
  if (!value.includes('-----BEGIN ')) return [];
  return value
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^[A-Za-z0-9+/=]{8,}$/.test(line))
    .map((text) => ({ text }));
}

function namedIn(value: string): { key: string; text: string }[] {
  const json = parsed(value);
  if (json !== undefined) return namedInJson(json, '');
  if (!value.includes('\n')) return [];
  return value.split(/\r?\n/).flatMap((line) => {
    const [, key, text] =
      /^[\s-]*["']?([\w.-]{1,64})["']?\s*[:=]\s*["']?(.{3,4096}?)["']?,?\s*$/.exec(line) ?? [];
    return key !== undefined && text !== undefined && isCredentialKey(key) ? [{ key, text }] : [];
  });
}

function parsed(value: string): unknown {
  if (!/^\s*[{[]/.test(value)) return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function namedInJson(value: unknown, key: string): { key: string; text: string }[] {
  if (typeof value === 'string') {
    if (!isCredentialKey(key)) return [];
    // `auth` of a registry is base64 of `user:password`.
    const [, password] =
      key === 'auth' ? (/^[^:]+:(.+)$/s.exec(Buffer.from(value, 'base64').toString('utf8')) ?? []) : [];
    return [{ key, text: value }, ...(password === undefined ? [] : [{ key: 'password', text: password }])];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => namedInJson(item, name));
}
