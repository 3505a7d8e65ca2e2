import { describe, expect, it } from 'vitest';
import { UsageError } from '../../core/errors.ts';
import { parseManifests } from './parse.ts';

const configMap = (data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n${data}\n`;

describe('parseManifests', () => {
  it('returns order, template and text of each document, and drops empty ones', () => {
    const text = `---\n# Source: c/templates/a.yaml\n${configMap('  k: v')}---\n# Source: c/templates/empty.yaml\n\n---\n${configMap('  k: w')}`;
    const manifests = parseManifests(text);
    expect(manifests.map((m) => [m.source, m.object['data']])).toEqual([
      ['c/templates/a.yaml', { k: 'v' }],
      [undefined, { k: 'w' }],
    ]);
    expect(manifests[0]?.text).toContain('kind: ConfigMap');
  });

  it.each([
    ['an octal mode', '  k: 0400', 256],
    ['an unquoted on', '  k: on', true],
    ['an unquoted y', '  k: y', true],
    ['a date as a string', '  k: 2026-11-21', '2026-11-21'],
    ['a port mapping as a string, not a base-60 number', '  k: 22:80', '22:80'],
    ['a quoted number', '  k: "1"', '1'],
    ['a block scalar that contains dashes', '  k: |\n    a\n    ---\n    b', 'a\n---\nb\n'],
    ['the last of two equal keys', '  k: 1\n  k: 2', 2],
  ])('reads %s as Go does', (_title, data, expected) => {
    expect(parseManifests(configMap(data))[0]?.object['data']).toEqual({ k: expected });
  });

  it('drops null fields', () => {
    expect(parseManifests(configMap('  k:\n  l: x'))[0]?.object['data']).toEqual({ l: 'x' });
  });

  it('returns the items of a List', () => {
    const item = '{apiVersion: v1, kind: Secret, metadata: {name: s}}';
    const objects = parseManifests(`apiVersion: v1\nkind: List\nitems: [${item}, ${item}]`);
    expect(objects.map((m) => m.object.kind)).toEqual(['Secret', 'Secret']);
  });

  it.each([
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}', /kind/],
    ['no name', 'apiVersion: v1\nkind: Pod\nmetadata: {}', /name/],
    [
      'a label that is not a string',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: true}}',
      /labels/,
    ],
    ['a syntax error', 'a: [', /not valid YAML/],
    ['a scalar', 'hello', /expected object/],
  ])('names the template of a document with %s', (_title, text, why) => {
    const parse = (): unknown => parseManifests(`---\n# Source: c/templates/x.yaml\n${text}`);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(/c\/templates\/x\.yaml/);
    expect(parse).toThrow(why);
  });
});
