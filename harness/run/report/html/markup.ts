/** Templates for HTML that escape every value, so that no text from outside becomes markup. */
import { plain } from '../text.ts';

/** HTML built by `markup`; the only value that a template does not escape. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Markup | string | number | undefined | false | readonly Part[];

/** A tagged template. Strings and numbers are escaped, also for use within double-quoted attributes; lists are joined. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let text = strings[0] ?? '';
  parts.forEach((part, index) => {
    text += render(part) + (strings[index + 1] ?? '');
  });
  return new Markup(text);
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return part.map(render).join('');
}

export function escapeHtml(text: string): string {
  return plain(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}

/** A sentence with inline code for its `backticks`. */
export function prose(text: string): Markup {
  const pieces = text.split(/`([^`\n]+)`/);
  return markup`${pieces.map((piece, index) => (index % 2 === 1 ? markup`<code>${piece}</code>` : piece))}`;
}

/** A link target within the run directory; `undefined` for anything that could leave it or run code. */
export function relativeHref(path: string): string | undefined {
  if (path.startsWith('/') || path.includes('\\') || path.split('/').includes('..')) return undefined;
  return path.split('/').map(encodeURIComponent).join('/');
}

/** The id of an element that is linked to. */
export function anchor(...parts: readonly string[]): string {
  return parts.join('-').replace(/[^A-Za-z0-9_-]+/g, '-');
}
