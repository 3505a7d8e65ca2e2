/** XML as a tree, read by saxes; throws on anything that is not well-formed. */
import { SaxesParser } from 'saxes';

export class XmlNode {
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlNode[] = [];
  readonly name: string;
  text = '';

  constructor(name: string, attributes: Readonly<Record<string, string>>) {
    this.name = name;
    this.attributes = attributes;
  }

  /** All descendants with that name, in document order. */
  all(name: string): XmlNode[] {
    return this.children.flatMap((child) => [...(child.name === name ? [child] : []), ...child.all(name)]);
  }
}

export function parseXml(xml: string): XmlNode {
  const document = new XmlNode('', {});
  const open = [document];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    const node = new XmlNode(name, attributes);
    open.at(-1)?.children.push(node);
    open.push(node);
  });
  parser.on('text', (text) => {
    const node = open.at(-1);
    if (node) node.text += text;
  });
  parser.on('closetag', () => open.pop());
  parser.write(xml).close();
  const [root] = document.children;
  if (!root) throw new Error('the document is empty');
  return root;
}
