/** The little of XML that JUnit files need. */
import { plain } from './text.ts';

/** Anything that XML 1.0 forbids even as a character reference, what is left after `plain`. */
const forbidden = /[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text of an element: markup escaped; ANSI, control characters and lone surrogates, which XML forbids, removed. */
export function xmlText(text: string): string {
  return plain(text)
    .replace(forbidden, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}

/** Value of an attribute; newlines survive as references (a parser would turn them into spaces). */
export function xmlAttribute(text: string): string {
  return xmlText(text).replace(/"/g, '&quot;').replace(/\n/g, '&#10;');
}

export type Attributes = Record<string, string | number | undefined>;

/** An element of lines, or an empty one; children are XML already. */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const open = `<${name}${attributeList(attributes)}`;
  if (children.length === 0) return `${open}/>`;
  const body = children.map((child) => indent(child)).join('\n');
  return `${open}>\n${body}\n</${name}>`;
}

/** An element whose whole content is text, kept exactly as it is. */
export function textElement(name: string, attributes: Attributes, text: string): string {
  return `<${name}${attributeList(attributes)}>${xmlText(text)}</${name}>`;
}

function attributeList(attributes: Attributes): string {
  return Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${xmlAttribute(String(value))}"`)
    .join('');
}

/** Only lines that begin with markup: the others belong to a text. */
function indent(xml: string): string {
  return xml.replace(/^(?= *<)/gm, '  ');
}
