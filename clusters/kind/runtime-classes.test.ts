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
    ['is correct', [runtimeClass('nvidia')], []],
    ['has another handler', [runtimeClass('runsc')], ['nvidia']],
    [
      'has scheduling rules',
      [runtimeClass('nvidia', { scheduling: { nodeSelector: { gpu: '1' } } })],
      ['nvidia'],
    ],
  ])('results in the planned RuntimeClass when it %s', async (_state, objects, created) => {
    const kube = fakeKube(objects);
    expect(await ensureRuntimeClasses(kube.client, topology)).toEqual(created);
    expect(kube.objects).toEqual([runtimeClass('nvidia')]);
  });

  it('creates no RuntimeClass that the topology does not have', async () => {
    const kube = fakeKube([]);
    expect(await ensureRuntimeClasses(kube.client, { groups: [] })).toEqual([]);
    expect(kube.objects).toEqual([]);
  });
});
