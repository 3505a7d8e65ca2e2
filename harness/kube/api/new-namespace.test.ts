import { describe, expect, it } from 'vitest';
import type { KubeClient } from './client.ts';
import { createNamespace } from './new-namespace.ts';
import type { KubeObject } from './types.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';

/** A cluster in which poll number `accountAtLook` finds the ServiceAccount. */
function fakeKube(accountAtLook: number): { client: KubeClient; created: KubeObject[]; looks: () => number } {
  const created: KubeObject[] = [];
  let looks = 0;
  const client: Partial<KubeClient> = {
    create: (object) => {
      created.push(object);
      return Promise.resolve(object);
    },
    get: ((kind: string, { name }: { name: string }) => {
      looks += 1;
      return Promise.resolve(looks < accountAtLook ? undefined : { kind, metadata: { name } });
    }) as unknown as KubeClient['get'],
  };
  return { client: client as KubeClient, created, looks: () => looks };
}

describe('createNamespace', () => {
  it('returns when the ServiceAccount exists', async () => {
    const kube = fakeKube(3);
    await createNamespace(kube.client, { name: 'demo', labels: { a: 'b' } }, { clock: sleepingClock() });
    expect(kube.created.map(({ kind, metadata }) => ({ kind, metadata }))).toEqual([
      { kind: 'Namespace', metadata: { name: 'demo', labels: { a: 'b' } } },
    ]);
    expect(kube.looks()).toBe(3);
  });

  it('fails with an infrastructure error when the ServiceAccount never appears', async () => {
    const { client } = fakeKube(Infinity);
    const making = createNamespace(client, { name: 'demo', labels: {} }, { clock: sleepingClock() });
    await expect(making).rejects.toMatchObject({
      code: 'E_NAMESPACE',
      exitCode: 3,
      message: expect.stringMatching(/^waited 90\.0 s for ServiceAccount default of namespace demo/),
    });
  });
});
