/**
 * Finds secrets in a text, however the text was escaped, wrapped or indented.
 *
 * Text and secret are reduced in the same way: escapes are decoded, and characters are dropped that encodings and line breaks add or
 * exchange. So one reduced secret matches all its spellings. The reduced text is searched for all secrets at once by a rolling hash of
 * their first characters: the cost does not grow with the number of secrets.
 */

/** A part of a text: from `start` up to, not including, `end`. */
export interface Span {
  start: number;
  end: number;
}

/** Characters of a reduced secret that the hash covers; shorter ones are searched for as they are. */
const WINDOW = 8;
/** A line may end by chance with the first 8 characters of a secret; before an ellipsis they are a truncated secret. */
const LEAST_AT_LINE_END = 12;
const BASE = 0x01000193;
const BASE_OF_OLDEST = power(BASE, WINDOW);
const SLOTS = 1 << 17;
/** Long texts are searched in parts. A part reads on beyond its end, for a secret that starts in it. */
const PART = 1 << 20;
const OVERLAP = 1 << 17;

/** Optional rest of an escape that was cut as well, then a mark of truncation. */
const ELLIPSIS =
  /[-+|\\\s]*(?:%[0-9a-f]?|u[0-9a-f]{0,3}|&#?\w{0,6})?\s?(?:…|\.\.\.|[[(<]?(?:truncated|snip))/iy;
const LINE_END = /[-+|\\]*(?:%[0-9a-f]?|u[0-9a-f]{0,3}|&#?\w{0,6})?["'`)\]}]*(?:\r|\n|\\+[nr]|$)/iy;

interface Needle {
  reduced: string;
  mayBeCut: boolean;
}

/** A set of strings to find. */
export class SecretSearch {
  readonly #byHash = new Map<number, Needle[]>();
  /** Whether any needle has this hash; most positions of a text end here. */
  readonly #slots = new Uint8Array(SLOTS);
  readonly #seen = new Set<string>();
  readonly #short = new Set<string>();
  #shortPattern: RegExp | undefined;
  readonly #reduced = new Reduced();

  /** @param mayBeCut also finds the start of the secret, where the text is truncated */
  add(secret: string, mayBeCut: boolean): void {
    for (const decode of [false, true]) {
      this.#reduced.read(secret, 0, secret.length, decode);
      const reduced = this.#reduced.toString();
      if (reduced.length < WINDOW) {
        if (secret.length >= WINDOW) this.#addShort(secret);
        continue;
      }
      if (this.#seen.has(reduced)) continue;
      this.#seen.add(reduced);
      const hash = hashOf(reduced);
      const needles = this.#byHash.get(hash) ?? [];
      needles.push({ reduced, mayBeCut });
      this.#byHash.set(hash, needles);
      this.#slots[hash & (SLOTS - 1)] = 1;
    }
  }

  /** Where the secrets are: in order, without overlaps. */
  find(text: string): Span[] {
    if (text.length < WINDOW) return [];
    const spans: Span[] = [];
    if (this.#seen.size > 0) {
      const hasEscapes = /[\\%&]/.test(text);
      for (let from = 0; from < text.length; from += PART) {
        const to = Math.min(text.length, from + PART + OVERLAP);
        this.#search(text, from, to, false, spans);
        if (hasEscapes) this.#search(text, from, to, true, spans);
      }
    }
    if (this.#short.size > 0) {
      this.#shortPattern ??= new RegExp([...this.#short].map(escapeRegExp).join('|'), 'g');
      for (const { index, 0: found } of text.matchAll(this.#shortPattern)) {
        spans.push({ start: index, end: index + found.length });
      }
    }
    return merged(spans);
  }

  #addShort(secret: string): void {
    this.#short.add(secret);
    this.#shortPattern = undefined;
  }

  #search(text: string, from: number, to: number, decode: boolean, found: Span[]): void {
    const reduced = this.#reduced;
    reduced.read(text, from, to, decode);
    const { codes, starts, ends, length } = reduced;
    const slots = this.#slots;
    let hash = 0;
    for (let last = 0; last < length; last += 1) {
      hash = (Math.imul(hash, BASE) + (codes[last] ?? 0)) | 0;
      const first = last - WINDOW + 1;
      if (first > 0) hash = (hash - Math.imul(codes[first - 1] ?? 0, BASE_OF_OLDEST)) | 0;
      if (first < 0 || slots[hash & (SLOTS - 1)] === 0) continue;
      for (const needle of this.#byHash.get(hash) ?? []) {
        const count = commonLength(needle.reduced, codes, first, length);
        const end = ends[first + count - 1] ?? 0;
        if (count === needle.reduced.length || (needle.mayBeCut && isCutAt(text, end, count))) {
          found.push({ start: starts[first] ?? 0, end });
        }
      }
    }
  }
}

function commonLength(needle: string, codes: Uint16Array, first: number, length: number): number {
  const most = Math.min(needle.length, length - first);
  let count = 0;
  while (count < most && needle.charCodeAt(count) === codes[first + count]) count += 1;
  return count;
}

function isCutAt(text: string, end: number, count: number): boolean {
  if (count < WINDOW) return false;
  ELLIPSIS.lastIndex = end;
  if (ELLIPSIS.test(text)) return true;
  if (count < LEAST_AT_LINE_END) return false;
  LINE_END.lastIndex = end;
  return LINE_END.test(text);
}

function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < WINDOW; i += 1) hash = (Math.imul(hash, BASE) + text.charCodeAt(i)) | 0;
  return hash;
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i += 1) result = Math.imul(result, base);
  return result;
}

function merged(spans: Span[]): Span[] {
  const all: Span[] = [];
  for (const span of spans.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = all.at(-1);
    if (last && span.start < last.end) last.end = Math.max(last.end, span.end);
    else all.push({ ...span });
  }
  return all;
}

/**
 * What a character is reduced to; 0: dropped.
 *
 * Dropped are white space (indentation, line breaks), `|` (a margin), backslashes (escapes), and `+` and `-`: both are a character of
 * base64, whose URL-safe alphabet has `-` for `+`, and in a form `+` is a space. For the same reason `_` is `/`.
 */
const REDUCED = new Uint16Array(256).map((_, code) =>
  code <= 0x20 || code === 0x85 || code === 0xa0 ? 0 : code,
);
for (const dropped of '|\\+-') REDUCED[dropped.charCodeAt(0)] = 0;
REDUCED['_'.charCodeAt(0)] = '/'.charCodeAt(0);

const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const CONTROL_ESCAPES = new Set(Array.from('nrtfvb', (letter) => letter.charCodeAt(0)));

const UNICODE_ESCAPE = /u(?:([0-9a-f]{4})|\{([0-9a-f]{1,6})\})|x([0-9a-f]{2})/iy;
/** Encoded once or several times: `%2F`, `%252F`. */
const PERCENT_ESCAPE = /%(?:25)*([0-9a-f]{2})/iy;
const ENTITY = /&(?:amp;)*(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,8}));/iy;
/** The entities of ASCII characters: html.spec.whatwg.org, "Named character references". */
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  sol: '/',
  bsol: '\\',
  plus: '+',
  equals: '=',
  commat: '@',
  colon: ':',
  semi: ';',
  num: '#',
  percnt: '%',
  dollar: '$',
  excl: '!',
  ast: '*',
  lpar: '(',
  rpar: ')',
  lsqb: '[',
  lbrack: '[',
  rsqb: ']',
  rbrack: ']',
  lcub: '{',
  lbrace: '{',
  rcub: '}',
  rbrace: '}',
  verbar: '|',
  vert: '|',
  comma: ',',
  period: '.',
  lowbar: '_',
  grave: '`',
  hat: '^',
  quest: '?',
  tab: ' ',
  newline: ' ',
};

/** A reduced text, and where each of its characters comes from. Its memory is used again for the next text. */
class Reduced {
  codes = new Uint16Array(1024);
  starts = new Uint32Array(1024);
  ends = new Uint32Array(1024);
  length = 0;

  read(text: string, from: number, to: number, decode: boolean): void {
    this.#reserve(to - from);
    const { codes, starts, ends } = this;
    let length = 0;
    for (let at = from; at < to; at += 1) {
      const code = text.charCodeAt(at);
      if (decode && (code === BACKSLASH || code === PERCENT || code === AMPERSAND)) {
        this.length = length;
        at = this.#decode(text, at, code) - 1;
        length = this.length;
        continue;
      }
      const reduced = code < 256 ? (REDUCED[code] ?? 0) : code;
      if (reduced === 0) continue;
      codes[length] = reduced;
      starts[length] = at;
      ends[length] = at + 1;
      length += 1;
    }
    this.length = length;
  }

  toString(): string {
    let text = '';
    for (let i = 0; i < this.length; i += 1) text += String.fromCharCode(this.codes[i] ?? 0);
    return text;
  }

  /** Reads one escape, and returns the position behind it. What only looks like an escape is read as it is. */
  #decode(text: string, at: number, code: number): number {
    if (code === BACKSLASH) return this.#backslashes(text, at);
    if (code === PERCENT) return this.#percent(text, at);
    ENTITY.lastIndex = at;
    const [whole, decimal, hex, name] = ENTITY.exec(text) ?? [];
    const known = name === undefined ? undefined : ENTITIES[name.toLowerCase()];
    if (whole === undefined || (name !== undefined && known === undefined)) {
      this.#put(AMPERSAND, at, at + 1);
      return at + 1;
    }
    const end = at + whole.length;
    if (known !== undefined) this.#put(known.charCodeAt(0), at, end);
    else this.#putPoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16), at, end);
    return end;
  }

  /** One or more backslashes: JSON that is escaped inside JSON has several. */
  #backslashes(text: string, at: number): number {
    let end = at;
    while (text.charCodeAt(end) === BACKSLASH) end += 1;
    UNICODE_ESCAPE.lastIndex = end;
    const [whole, four, braced, two] = UNICODE_ESCAPE.exec(text) ?? [];
    if (whole !== undefined) {
      const start = at;
      const behind = end + whole.length;
      this.#putPoint(Number.parseInt(four ?? braced ?? two ?? '', 16), start, behind);
      return behind;
    }
    const next = text.charCodeAt(end);
    if (CONTROL_ESCAPES.has(next)) return end + 1;
    if (Number.isNaN(next) || next === PERCENT || next === AMPERSAND) return end;
    this.#put(next, at, end + 1);
    return end + 1;
  }

  #percent(text: string, at: number): number {
    const bytes: number[] = [];
    let end = at;
    let wanted = 1;
    while (bytes.length < wanted) {
      PERCENT_ESCAPE.lastIndex = end;
      const [whole, hex] = PERCENT_ESCAPE.exec(text) ?? [];
      if (whole === undefined || hex === undefined) break;
      const byte = Number.parseInt(hex, 16);
      if (bytes.length === 0) wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      bytes.push(byte);
      end += whole.length;
    }
    if (bytes.length === 0) {
      this.#put(PERCENT, at, at + 1);
      return at + 1;
    }
    for (const unit of Buffer.from(bytes).toString('utf8').split('')) this.#put(unit.charCodeAt(0), at, end);
    return end;
  }

  #putPoint(point: number, start: number, end: number): void {
    if (point > 0x10ffff) return;
    for (const unit of String.fromCodePoint(point).split('')) this.#put(unit.charCodeAt(0), start, end);
  }

  #put(code: number, start: number, end: number): void {
    const reduced = code < 256 ? (REDUCED[code] ?? 0) : code;
    if (reduced === 0) return;
    this.codes[this.length] = reduced;
    this.starts[this.length] = start;
    this.ends[this.length] = end;
    this.length += 1;
  }

  #reserve(size: number): void {
    if (this.codes.length >= size) return;
    this.codes = new Uint16Array(size);
    this.starts = new Uint32Array(size);
    this.ends = new Uint32Array(size);
  }
}

export function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
