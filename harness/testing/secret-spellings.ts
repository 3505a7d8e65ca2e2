/** For unit tests: how a secret may be spelled in a log or an object, and what would betray that it is still there. */

/** Has everything that encodings change: markup, quotes, white space, both alphabets of base64, a letter outside of ASCII. */
export const SECRET = 'Zq7/canary+X9w<&>"\'é k4Tb2_LmN8pRv?z';

/** Looks like a private key. */
export const PEM = [
  '-----BEGIN PRIVATE KEY-----',
  'MIIEvCanaryAAAAANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us',
  '8cKjMzEfYyjiWA4R4canaryM2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHt',
  'CSuYEvuNMoSfm76oqFvAp8Gy0iz5sxjZmSnXyCdPEovGhcanaryMzj8eqTbvu4uQ==',
  '-----END PRIVATE KEY-----',
].join('\n');

export interface Spelling {
  name: string;
  text: string;
  /** Parts of the text that no output may contain. */
  traces: readonly string[];
}

/** Every spelling that the redactor has to find when it knows `SECRET` and `PEM`. */
export const SPELLINGS: readonly Spelling[] = [
  { name: 'plain', text: SECRET, traces: ['canary'] },
  { name: 'JSON', text: JSON.stringify({ a: SECRET }), traces: ['canary'] },
  { name: 'JSON with \\u003c', text: goJson(SECRET), traces: ['canary'] },
  {
    name: 'JSON inside JSON',
    text: JSON.stringify({ a: goJson(JSON.stringify({ b: SECRET })) }),
    traces: ['canary'],
  },
  { name: 'percent encoding', text: `?a=${encodeURIComponent(SECRET)}&b=1`, traces: ['canary'] },
  { name: 'percent encoding in lower case', text: `?a=${lowerPercent(SECRET)}&b=1`, traces: ['canary'] },
  {
    name: 'a form, with + for a space',
    text: new URLSearchParams({ a: SECRET }).toString(),
    traces: ['canary'],
  },
  {
    name: 'percent encoding twice',
    text: encodeURIComponent(encodeURIComponent(SECRET)),
    traces: ['canary'],
  },
  { name: 'named HTML entities', text: namedEntities(SECRET), traces: ['canary'] },
  {
    name: 'decimal HTML entities',
    text: entities(SECRET, (code) => `#${code}`),
    traces: ['#97;&#110;&#97;'],
  },
  {
    name: 'hexadecimal HTML entities',
    text: entities(SECRET, (code) => `#x${code.toString(16)}`),
    traces: ['#x61;&#x6e;&#x61;'],
  },
  encoded('base64', base64(SECRET)),
  encoded('base64url', Buffer.from(SECRET).toString('base64url')),
  encoded('base64 at offset 1', base64(`u${SECRET}; e`)),
  encoded('base64 at offset 2', base64(`us${SECRET}; e`)),
  encoded('base64 twice', base64(base64(SECRET))),
  encoded('base64 twice, inside other text', base64(`a: ${base64(`pw=${SECRET}`)}\n`)),
  encoded('base64 of JSON', base64(JSON.stringify({ a: SECRET }))),
  encoded('hexadecimal', Buffer.from(SECRET).toString('hex')),
  encoded('hexadecimal in upper case', Buffer.from(SECRET).toString('hex').toUpperCase()),
  wrapped('base64 in lines of 64 characters', 64, '\n'),
  wrapped('base64 in lines of 76 characters', 76, '\r\n'),
  wrapped('base64 in lines, escaped', 76, '\\n'),
  wrapped('base64 in an indented block', 64, '\n      '),
  wrapped('base64 behind log prefixes', 76, '\n2026-03-02T21:04:10Z app: '),
  { name: 'PEM', text: PEM, traces: ['canary'] },
  { name: 'PEM with CRLF', text: PEM.replaceAll('\n', '\r\n'), traces: ['canary'] },
  { name: 'PEM in JSON', text: JSON.stringify({ key: PEM }), traces: ['canary'] },
  { name: 'PEM in a YAML block', text: `key: |\n${prefixed(PEM, '    ')}`, traces: ['canary'] },
  { name: 'PEM behind a margin', text: prefixed(PEM, '  | '), traces: ['canary'] },
  { name: 'PEM behind log prefixes', text: prefixed(PEM, '2026-03-02T21:04:10Z app: '), traces: ['canary'] },
  { name: 'truncated, with an ellipsis', text: `token ${SECRET.slice(0, 13)}…`, traces: ['canary'] },
  { name: 'truncated, with three dots', text: `token ${SECRET.slice(0, 13)}... (more)`, traces: ['canary'] },
  { name: 'truncated at the end of a line', text: `token ${SECRET.slice(0, 20)}\nnext`, traces: ['canary'] },
  {
    name: 'base64, truncated',
    text: `data: ${base64(SECRET).slice(0, 20)}…`,
    traces: [base64(SECRET).slice(8, 16)],
  },
];

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** As Go's encoding/json escapes by default. */
function goJson(text: string): string {
  return JSON.stringify(text).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

function lowerPercent(text: string): string {
  return encodeURIComponent(text).replace(/%../g, (escape) => escape.toLowerCase());
}

function namedEntities(text: string): string {
  const names: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };
  return text.replace(/[&<>"']/g, (c) => `&${names[c] ?? ''};`);
}

function entities(text: string, name: (code: number) => string): string {
  return Array.from(text, (c) => `&${name(c.codePointAt(0) ?? 0)};`).join('');
}

/** The middle of an encoded text belongs to the secret. */
function encoded(name: string, text: string): Spelling {
  return { name, text, traces: [middleOf(text)] };
}

function wrapped(name: string, length: number, separator: string): Spelling {
  const lines = base64(PEM).match(new RegExp(`.{1,${length}}`, 'g')) ?? [];
  return { name, text: lines.join(separator), traces: lines.map(middleOf) };
}

function middleOf(text: string): string {
  const middle = Math.floor(text.length / 2);
  return text.slice(middle - 5, middle + 5);
}

function prefixed(text: string, prefix: string): string {
  return text
    .split('\n')
    .map((line) => `${prefix}${line}`)
    .join('\n');
}
