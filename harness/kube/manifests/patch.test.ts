import { describe, expect, it } from 'vitest';
import type { PatchOperation } from './patch.ts';
import { patchObjects } from './patch.ts';
import { podSpecOf } from './objects.ts';
import {
  sampleContainer,
  sampleDeployment,
  sampleService,
  sampleSystem,
} from '../../testing/sample-objects.ts';

const CONTAINER = '/spec/template/spec/containers/0';

describe('patchObjects', () => {
  it.each<[string, PatchOperation, unknown]>([
    ['add', { op: 'add', path: `${CONTAINER}/command`, value: ['false'] }, { command: ['false'] }],
    ['replace', { op: 'replace', path: `${CONTAINER}/image`, value: 'x:1' }, { image: 'x:1' }],
    [
      'copy',
      { op: 'copy', from: `${CONTAINER}/name`, path: `${CONTAINER}/workingDir` },
      { workingDir: 'web' },
    ],
  ])('applies %s', (_op, operation, expected) => {
    const [patched] = patchObjects(
      [sampleDeployment()],
      [{ target: { kind: 'Deployment' }, ops: [operation] }],
    );
    expect(podSpecOf(patched!)?.containers[0]).toMatchObject(expected as object);
  });

  it.each<[string, PatchOperation]>([
    ['an element', { op: 'replace', path: '/spec/template/spec/containers/[name=web]/image', value: 'x:1' }],
    [
      'the source of a copy',
      { op: 'copy', from: '/spec/template/spec/containers/[name=web]/name', path: `${CONTAINER}/image` },
    ],
  ])('selects %s of a list by a field', (_what, operation) => {
    const [patched] = patchObjects(
      [sampleDeployment()],
      [{ target: { kind: 'Deployment' }, ops: [operation] }],
    );
    expect(podSpecOf(patched!)?.containers[0]?.image).toBe(operation.op === 'copy' ? 'web' : 'x:1');
  });

  it('patches nested lists by field, with an escaped slash', () => {
    const op: PatchOperation = {
      op: 'add',
      path: '/spec/template/spec/containers/[name=web]/env',
      value: [{ name: 'example.com/a', value: '1' }],
    };
    const append: PatchOperation = {
      op: 'replace',
      path: '/spec/template/spec/containers/[name=web]/env/[name=example.com~1a]/value',
      value: '2',
    };
    const [patched] = patchObjects(
      [sampleDeployment()],
      [{ target: { kind: 'Deployment' }, ops: [op, append] }],
    );
    expect(podSpecOf(patched!)?.containers[0]?.env).toEqual([{ name: 'example.com/a', value: '2' }]);
  });

  it('fails when no list element matches', () => {
    const ops: PatchOperation[] = [{ op: 'remove', path: '/spec/template/spec/containers/[name=api]/image' }];
    expect(() => patchObjects([sampleDeployment()], [{ target: { kind: 'Deployment' }, ops }])).toThrow(
      /no list element has name api/,
    );
  });

  it('sets the image of every container with the name', () => {
    const patched = patchObjects(sampleSystem(), [{ images: { web: 'x:2' } }]);
    const images = patched.flatMap((o) => podSpecOf(o)?.containers ?? []).map((c) => [c.name, c.image]);
    expect(images).toContainEqual(['web', 'x:2']);
    expect(images.filter(([name]) => name !== 'web').every(([, image]) => image !== 'x:2')).toBe(true);
    expect(() => patchObjects(sampleSystem(), [{ images: { nobody: 'x:2' } }])).toThrow(/container nobody/);
  });

  it('gives settings to the containers that read them', () => {
    const env = [{ name: 'TOKEN', value: 'old' }];
    const [patched] = patchObjects(
      [sampleDeployment({ containers: [sampleContainer({ env })] })],
      [{ settings: [{ names: ['TOKEN'], value: 'new' }] }],
    );
    expect(podSpecOf(patched!)?.containers[0]?.env).toEqual([{ name: 'TOKEN', value: 'new' }]);
    expect(env[0]?.value).toBe('old');
  });

  it('does not change its input or objects that it does not select', () => {
    const objects = sampleSystem();
    const before = structuredClone(objects);
    const patched = patchObjects(objects, [
      { target: { kind: 'Service', name: 'web' }, ops: [{ op: 'remove', path: '/spec/selector' }] },
    ]);
    expect(objects).toEqual(before);
    expect(patched.filter((o) => o.kind !== 'Service')).toEqual(before.filter((o) => o.kind !== 'Service'));
    expect(patched.find((o) => o.kind === 'Service')?.['spec']).not.toHaveProperty('selector');
  });

  it('does not share a value between two targets', () => {
    const ops: PatchOperation[] = [
      { op: 'add', path: '/metadata/labels', value: {} },
      { op: 'add', path: '/metadata/labels/x', value: 'y' },
    ];
    const [first, second] = patchObjects(
      [sampleService(), sampleService()],
      [{ target: { kind: 'Service' }, ops }],
    );
    first!.metadata.labels!['only'] = 'first';
    expect(second?.metadata.labels).toEqual({ x: 'y' });
  });

  it('fails when a patch selects nothing, and lists the rendered objects', () => {
    const patch = { target: { kind: 'Deployment', name: 'wbe' }, ops: [] };
    expect(() => patchObjects(sampleSystem(), [patch])).toThrow(
      expect.objectContaining({
        code: 'E_PATCH_TARGET',
        message: 'the patch of Deployment wbe selects nothing',
        hint: expect.stringContaining('Deployment web') as string,
      }),
    );
  });

  it.each([
    ['an object', { kind: 'Ingress' }, '/spec/rules'],
    ['a list element', { kind: 'Deployment' }, '/spec/template/spec/containers/[name=sidecar]/image'],
  ])('leaves out %s that was not rendered, where the patch allows it', (_title, target, path) => {
    const before = sampleSystem();
    expect(patchObjects(before, [{ target, ops: [{ op: 'remove', path }], whereRendered: true }])).toEqual(
      before,
    );
  });

  it.each<[string, PatchOperation]>([
    ['a path that does not exist', { op: 'replace', path: '/spec/nope', value: 1 }],
    ['the removal of a missing field', { op: 'remove', path: '/spec/nope' }],
    ['a test that fails', { op: 'test', path: '/spec/replicas', value: 7 }],
  ])('fails on %s, with object and path', (_title, operation) => {
    const patch = { target: { kind: 'Deployment' }, ops: [operation] };
    expect(() => patchObjects([sampleDeployment()], [patch])).toThrow(
      expect.objectContaining({
        code: 'E_PATCH',
        message: expect.stringContaining(`${operation.path} cannot be applied to Deployment web`) as string,
      }),
    );
  });
});
