import { describe, expect, it } from 'vitest';
import type { Log } from '../../core/log.ts';
import { silentLog } from '../../core/log.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { ApiError } from '../../kube/api/errors.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';
import { terminatingPodsGone } from './terminating-pods.ts';

const deletionTimestamp = '2026-03-01T12:00:00Z';
const staying: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shared' } };
const terminating: KubeObject = {
  ...staying,
  metadata: { name: 'before', deletionTimestamp },
  status: {
    conditions: [
      { type: 'NamespaceFinalizersRemaining', status: 'True', message: 'finalizers remaining: a/b' },
    ],
  },
};
const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', namespace: 'before' } };

/** What each look finds; the last one for ever. */
interface Look {
  namespaces: KubeObject[];
  pods?: KubeObject[];
}

function fakeKube(
  looks: Look[],
  patch: KubeClient['patch'] = () => Promise.resolve(terminating),
): { kube: Pick<KubeClient, 'list' | 'patch'>; asked: unknown[]; touched: string[] } {
  const asked: unknown[] = [];
  const touched: string[] = [];
  let look: Look | undefined;
  const list = ((kind: string, options: { labelSelector?: string; namespace?: string }) => {
    asked.push(options.labelSelector ?? options.namespace);
    if (kind === 'Namespace') look = looks.length > 1 ? looks.shift() : looks[0];
    return Promise.resolve(kind === 'Namespace' ? look?.namespaces : (look?.pods ?? []));
  }) as KubeClient['list'];
  return {
    kube: {
      list,
      patch: (kind, ref, ...rest) => {
        touched.push(ref.name);
        return patch(kind, ref, ...rest);
      },
    },
    asked,
    touched,
  };
}

const clock = (): ReturnType<typeof sleepingClock> => sleepingClock(0);

describe('terminatingPodsGone', () => {
  it('waits for the pods in terminating namespaces of the run only, and not for the namespaces', async () => {
    const { kube, asked, touched } = fakeKube([
      { namespaces: [staying, terminating], pods: [pod] },
      { namespaces: [staying, terminating] },
    ]);
    await terminatingPodsGone(kube, 'r1', { log: silentLog, clock: clock() });
    expect(asked).toEqual(['kindproof.dev/run=r1', 'before', 'kindproof.dev/run=r1', 'before']);
    expect(touched).toEqual([]);
  });

  it('waits for the namespaces, too, where `namespaces` says so, and touches each of them once', async () => {
    const { kube, touched } = fakeKube([
      { namespaces: [terminating], pods: [pod] },
      { namespaces: [terminating] },
      { namespaces: [terminating] },
      { namespaces: [staying] },
    ]);
    await terminatingPodsGone(kube, 'r1', { log: silentLog, clock: clock(), namespaces: true });
    expect(touched).toEqual(['before']);
  });

  it('goes on when a namespace is gone before it is touched', async () => {
    const gone = new ApiError('patch', 404, 'NotFound', 'not found');
    const { kube } = fakeKube([{ namespaces: [terminating] }, { namespaces: [] }], () =>
      Promise.reject(gone),
    );
    const said: unknown[] = [];
    const log: Log = { ...silentLog, warn: (message) => said.push(message) };
    await terminatingPodsGone(kube, 'r1', { log, clock: clock(), namespaces: true });
    expect(said).toEqual([]);
  });

  const away: Pick<KubeClient, 'list' | 'patch'> = {
    list: () => Promise.reject(new Error('connection refused')),
    patch: () => Promise.reject(new Error('connection refused')),
  };
  it.each([
    [
      'the pods take too long',
      fakeKube([{ namespaces: [terminating], pods: [pod] }]).kube,
      false,
      /pods of earlier checks to be gone; last seen: before\/web-1/,
    ],
    [
      'the namespaces take too long',
      fakeKube([{ namespaces: [terminating] }]).kube,
      true,
      /namespaces of earlier checks to be gone; last seen: before \(finalizers remaining: a\/b\)/,
    ],
    ['the cluster does not answer', away, false, /connection refused/],
  ])('proceeds and logs it when %s', async (_title, kube, namespaces, reason) => {
    const said: unknown[] = [];
    const log: Log = { ...silentLog, warn: (message, fields) => said.push([message, fields]) };
    await terminatingPodsGone(kube, 'r1', { log, clock: clock(), namespaces });
    expect(said).toEqual([
      [
        'exclusive check started while pods were still terminating',
        { reason: expect.stringMatching(reason) },
      ],
    ]);
  });
});
