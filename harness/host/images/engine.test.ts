import { describe, expect, it } from 'vitest';
import { parseInspect } from './engine.ts';

const ID = `sha256:${'0'.repeat(64)}`;

describe('parseInspect', () => {
  it.each([
    ['labels', [{ Id: ID, Config: { Labels: { a: 'b' } }, Size: 1 }], { a: 'b' }, []],
    ['null labels', [{ Id: ID, Config: { Labels: null }, RepoDigests: null }], {}, []],
    ['no config', [{ Id: ID }], {}, []],
    ['a manifest', [{ Id: ID, RepoDigests: [`me/app@${ID}`] }], {}, [`me/app@${ID}`]],
  ])('reads an image with %s', (_title, json, labels, manifests) => {
    expect(parseInspect(JSON.stringify(json))).toEqual({ id: ID, labels, manifests });
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
