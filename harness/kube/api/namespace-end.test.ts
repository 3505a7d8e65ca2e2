import { describe, expect, it } from 'vitest';
import { ApiError } from './errors.ts';
import { deleteNamespace } from './namespace-end.ts';
import type { KubeClient } from './client.ts';

type Client = Pick<KubeClient, 'delete' | 'list'>;

function fakeKube(list: () => Promise<unknown[]>): { kube: Client; deleted: string[] } {
  const deleted: string[] = [];
  const kube: Client = {
    list: list as unknown as Client['list'],
    delete: (kind, { name }, { gracePeriodSeconds } = {}) => {
      deleted.push(
        `${kind as string} ${name}${gracePeriodSeconds === undefined ? '' : ` within ${gracePeriodSeconds} s`}`,
      );
      return Promise.resolve();
    },
  };
  return { kube, deleted };
}

describe('deleteNamespace', () => {
  it('ends the pods at once, after no controller can replace them', async () => {
    const { kube, deleted } = fakeKube(() =>
      Promise.resolve([{ metadata: { name: 'web-0' } }, { metadata: { name: 'web-1' } }]),
    );
    await deleteNamespace(kube, 'demo');
    expect(deleted).toEqual(['Namespace demo', 'Pod web-0 within 1 s', 'Pod web-1 within 1 s']);
  });

  it('leaves the pods their time where it may not end them', async () => {
    const { kube, deleted } = fakeKube(() => Promise.reject(new ApiError('list Pod', 403, 'Forbidden', '')));
    await deleteNamespace(kube, 'demo');
    expect(deleted).toEqual(['Namespace demo']);
  });

  it('reports any other error', async () => {
    const { kube } = fakeKube(() => Promise.reject(new Error('the cluster is gone')));
    await expect(deleteNamespace(kube, 'demo')).rejects.toThrow('the cluster is gone');
  });
});
