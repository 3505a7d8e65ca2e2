/** A strict little XML parser for tests: elements, attributes, text; throws on anything that is not well-formed. */

export class XmlNode {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: XmlNode[] = [];
  text = '';

  constructor(name: string, attributes: Record<string, string>) {
    this.name = name;
    this.attributes = attributes;
  }

  /** All descendants of that name, in document order. */
  all(name: string): XmlNode[] {
    return this.children.flatMap((child) => [...(child.name === name ? [child] : []), ...child.all(name)]);
  }
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#10': '\n' };

export function parseXml(xml: string): XmlNode {
  const root = new XmlNode('', {});
  const open = [root];
  const body = xml.replace(/^<\?xml [^?]*\?>\n/, '');
  for (const [token] of body.matchAll(/<[^>]*>|[^<]+/g)) {
    const parent = open.at(-1) ?? root;
    const closing = /^<\/([\w-]+)>$/.exec(token);
    const opening = /^<([\w-]+)((?: [\w-]+="[^"<]*")*)(\/?)>$/.exec(token);
    if (closing) {
      if (parent.name !== closing[1]) throw new Error(`${token} closes <${parent.name}>`);
      open.pop();
    } else if (opening) {
      const attributes: Record<string, string> = {};
      for (const [, name = '', value = ''] of (opening[2] ?? '').matchAll(/([\w-]+)="([^"]*)"/g)) {
        if (name in attributes) throw new Error(`attribute ${name} twice`);
        attributes[name] = decode(value);
      }
      const node = new XmlNode(opening[1] ?? '', attributes);
      parent.children.push(node);
      if (opening[3] === '') open.push(node);
    } else if (token.startsWith('<')) {
      throw new Error(`not a tag: ${token}`);
    } else {
      parent.text += decode(token);
    }
  }
  const [document] = root.children;
  if (open.length !== 1 || !document || root.children.length !== 1)
    throw new Error('not one closed document');
  return document;
}

function decode(text: string): string {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|]]>/.test(text))
    throw new Error(`forbidden in ${text}`);
  if (/[\ud800-\udfff]/u.test(text)) throw new Error(`half a surrogate pair in ${text}`);
  return text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const character = entities[name];
    if (character === undefined) throw new Error(`unknown entity ${whole}`);
    return character;
  });
}
