import { describe, expect, it } from 'vitest';
import type { Log } from '../../core/log.ts';
import { silentLog } from '../../core/log.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';
import { terminatingNamespacesGone } from './terminating-namespaces.ts';

const namespace = (name: string, deletionTimestamp?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
});
const staying = namespace('shared');
const terminating = {
  ...namespace('before', '2026-03-01T12:00:00Z'),
  status: {
    conditions: [
      { type: 'NamespaceFinalizersRemaining', status: 'True', message: 'finalizers remaining: a/b' },
    ],
  },
};

/** Gives one list after the other, and the last one for ever. */
function fakeKube(...lists: KubeObject[][]): { kube: Pick<KubeClient, 'list'>; selectors: unknown[] } {
  const selectors: unknown[] = [];
  const list = ((_kind: string, options: { labelSelector: string }) => {
    selectors.push(options.labelSelector);
    return Promise.resolve(lists.length > 1 ? lists.shift() : lists[0]);
  }) as KubeClient['list'];
  return { kube: { list }, selectors };
}

describe('terminatingNamespacesGone', () => {
  it('waits for terminating namespaces of the run only', async () => {
    const { kube, selectors } = fakeKube([staying, terminating], [staying, terminating], [staying]);
    await terminatingNamespacesGone(kube, 'r1', { log: silentLog, clock: sleepingClock(0) });
    expect(selectors).toEqual(Array.from({ length: 3 }, () => 'kindproof.dev/run=r1'));
  });

  const away: Pick<KubeClient, 'list'> = { list: () => Promise.reject(new Error('connection refused')) };
  it.each([
    [
      'they take too long',
      fakeKube([terminating]).kube,
      /namespaces of earlier checks to be gone; last seen: before \(finalizers remaining: a\/b\)/,
    ],
    ['the cluster does not answer', away, /connection refused/],
  ])('proceeds and logs it when %s', async (_title, kube, reason) => {
    const said: unknown[] = [];
    const log: Log = { ...silentLog, warn: (message, fields) => said.push([message, fields]) };
    await terminatingNamespacesGone(kube, 'r1', { log, clock: sleepingClock(0) });
    expect(said).toEqual([
      [
        'exclusive check started while namespaces were still terminating',
        { reason: expect.stringMatching(reason) },
      ],
    ]);
  });
});
