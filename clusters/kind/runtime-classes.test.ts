import { describe, expect, it } from 'vitest';
import { fakeKube } from '../testing/fake-kube.ts';
import { ensureRuntimeClasses } from './runtime-classes.ts';

const runtimeClass = (handler: string, more: object = {}) => ({
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'nvidia' },
  handler,
  ...more,
});
const topology = { groups: [], runtimeClasses: ['nvidia'] };

describe('ensureRuntimeClasses', () => {
  it.each([
    ['is missing', [], ['nvidia']],
    ['is there', [runtimeClass('nvidia')], []],
    ['has another handler', [runtimeClass('runsc')], ['nvidia']],
    [
      'schedules by itself',
      [runtimeClass('nvidia', { scheduling: { nodeSelector: { gpu: '1' } } })],
      ['nvidia'],
    ],
  ])('leaves one with its handler where it %s', async (_state, objects, made) => {
    const kube = fakeKube(objects);
    expect(await ensureRuntimeClasses(kube.client, topology)).toEqual(made);
    expect(kube.objects).toEqual([runtimeClass('nvidia')]);
  });

  it('makes none that nobody asked for', async () => {
    const kube = fakeKube([]);
    expect(await ensureRuntimeClasses(kube.client, { groups: [] })).toEqual([]);
    expect(kube.objects).toEqual([]);
  });
});
