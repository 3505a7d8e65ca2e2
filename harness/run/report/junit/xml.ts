/** The part of XML that JUnit files need. */
import { plain } from '../text.ts';

/** Characters that `plain` leaves and XML 1.0 forbids, even as references. */
const forbidden = /[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text of an element: markup escaped, ANSI and forbidden characters removed. */
export function xmlText(text: string): string {
  return plain(text)
    .replace(forbidden, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}

/** Value of an attribute; newlines become references, because a parser turns plain ones into spaces. */
export function xmlAttribute(text: string): string {
  return xmlText(text).replace(/"/g, '&quot;').replace(/\n/g, '&#10;');
}

type Attributes = Record<string, string | number | undefined>;

/** An element with one child on each line, or an empty one; children are XML. */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const open = `<${name}${attributeList(attributes)}`;
  if (children.length === 0) return `${open}/>`;
  const body = children.map((child) => indent(child)).join('\n');
  return `${open}>\n${body}\n</${name}>`;
}

/** An element whose content is text, unchanged. */
export function textElement(name: string, attributes: Attributes, text: string): string {
  return `<${name}${attributeList(attributes)}>${xmlText(text)}</${name}>`;
}

function attributeList(attributes: Attributes): string {
  return Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${xmlAttribute(String(value))}"`)
    .join('');
}

/** Indents lines that begin with markup; the others belong to a text. */
function indent(xml: string): string {
  return xml.replace(/^(?= *<)/gm, '  ');
}
