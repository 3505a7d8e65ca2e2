import { describe, expect, it } from 'vitest';
import { parseInspect } from './engine.ts';

const ID = `sha256:${'0'.repeat(64)}`;

describe('parseInspect', () => {
  it.each([
    ['labels', [{ Id: ID, Config: { Labels: { a: 'b' } }, Size: 1 }], { a: 'b' }],
    ['null labels', [{ Id: ID, Config: { Labels: null } }], {}],
    ['no config', [{ Id: ID }], {}],
  ])('reads an image with %s', (_title, json, labels) => {
    expect(parseInspect(JSON.stringify(json))).toEqual({ id: ID, labels });
  });

  it.each([
    ['no image', '[]'],
    ['two images', JSON.stringify([{ Id: ID }, { Id: ID }])],
    ['a short id', '[{"Id":"sha256:abc"}]'],
    ['no JSON', 'Error'],
  ])('rejects %s', (_title, stdout) => {
    expect(() => parseInspect(stdout)).toThrow();
  });
});
