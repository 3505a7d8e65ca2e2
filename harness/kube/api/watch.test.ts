import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../core/deadline.ts';
import type { KubeClient, WatchEvent, WatchHandle } from './client.ts';
import { FakeApiServer, sendStatus } from '../../testing/fake-api-server.ts';
import { createKubeClient } from './http-client.ts';
import type { KubeObject } from './types.ts';

const pods = '/api/v1/namespaces/n/pods';
const pod = (name: string, uid?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'n', ...(uid === undefined ? {} : { uid }) },
});

let server: FakeApiServer;
let kube: KubeClient;
let seen: string[];

beforeAll(async () => {
  server = await FakeApiServer.start();
});

beforeEach(async () => {
  kube = await createKubeClient({ kubeconfig: server.kubeconfig });
  seen = [];
});

afterEach(async () => {
  await kube.close();
  server.reset();
});

afterAll(() => server.stop());

function watch(onEvent: (event: WatchEvent<KubeObject>) => void = () => {}): WatchHandle {
  return kube.watch('Pod', { namespace: 'n' }, (event) => {
    seen.push(`${event.type} ${event.object?.metadata.name ?? ''}`.trim());
    onEvent(event);
  });
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  await waitFor({
    what,
    timeoutMs: 5000,
    intervalMs: 5,
    look: () =>
      Promise.resolve(isSo() ? { done: true, value: undefined } : { done: false, seen: seen.join(', ') }),
  });
}

const lastIs = (text: string): Promise<void> => until(text, () => seen.at(-1) === text);
const connected = (): Promise<void> => until('the watch', () => server.watching === 1);

describe('watch', () => {
  it('delivers the list, SYNC, and then every change', async () => {
    server.put(pods, pod('a'));
    const handle = watch();
    await handle.synced;
    await connected();
    server.put(pods, pod('b'));
    server.put(pods, pod('a'));
    server.remove(pods, 'b');
    await lastIs('DELETED b');
    expect(seen).toEqual(['ADDED a', 'SYNC', 'ADDED b', 'MODIFIED a', 'DELETED b']);
    await handle.stop();
  });

  it.each([
    [
      'ends',
      () => {
        server.endWatches();
      },
    ],
    [
      'breaks',
      () => {
        server.cutConnections();
      },
    ],
  ])('continues without loss or repetition when the stream %s', async (_title, interrupt) => {
    const handle = watch();
    await handle.synced;
    await connected();
    server.put(pods, pod('a'));
    await lastIs('ADDED a');
    interrupt();
    server.put(pods, pod('b'));
    server.remove(pods, 'a');
    await lastIs('DELETED a');
    expect(seen).toEqual(['SYNC', 'ADDED a', 'ADDED b', 'DELETED a']);
    await handle.stop();
  });

  it('delivers the difference when the resourceVersion has expired', async () => {
    for (const name of ['same', 'changed', 'gone', 'replaced']) server.put(pods, pod(name));
    const handle = watch();
    await handle.synced;
    await connected();
    seen.length = 0;
    server.cutConnections();
    server.put(pods, pod('changed'));
    server.remove(pods, 'gone');
    server.remove(pods, 'replaced');
    server.put(pods, pod('replaced', 'another-uid'));
    server.put(pods, pod('new'));
    server.forget();
    await lastIs('ADDED new');
    expect(seen.toSorted()).toEqual([
      'ADDED new',
      'ADDED replaced',
      'DELETED gone',
      'DELETED replaced',
      'MODIFIED changed',
    ]);
    expect(seen.indexOf('DELETED replaced')).toBeLessThan(seen.indexOf('ADDED replaced'));
    await handle.stop();
  });

  it('resumes from a bookmark without delivering it', async () => {
    const handle = watch();
    await handle.synced;
    await connected();
    const bookmark = { ...pod(''), metadata: { name: '', resourceVersion: '500' } };
    server.tellRaw({ type: 'BOOKMARK', object: bookmark });
    server.endWatches();
    await connected();
    expect(server.requests.at(-1)?.query.get('resourceVersion')).toBe('500');
    expect(seen).toEqual(['SYNC']);
    await handle.stop();
  });

  it('can be stopped before the first response', async () => {
    server.answer(pods, () => {});
    const handle = watch();
    await handle.stop();
    await expect(handle.synced).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
    expect(seen).toEqual([]);
  });

  it('delivers nothing after stop', async () => {
    const handle = watch();
    await handle.synced;
    await connected();
    await handle.stop();
    await until('the end of the stream', () => server.watching === 0);
    server.put(pods, pod('late'));
    expect(seen).toEqual(['SYNC']);
  });

  it('delivers events after an exception of the callback, and throws it at stop', async () => {
    server.put(pods, pod('a'));
    const handle = watch((event) => {
      if (event.object?.metadata.name === 'a') throw new Error('callback is broken');
    });
    await handle.synced;
    await connected();
    server.put(pods, pod('b'));
    await lastIs('ADDED b');
    await expect(handle.stop()).rejects.toThrow('callback is broken');
  });

  it('fails when the first list is rejected', async () => {
    server.answer(pods, (_request, response) => {
      sendStatus(response, 403, 'Forbidden', 'not allowed');
    });
    const handle = watch();
    await expect(handle.synced).rejects.toMatchObject({ status: 403 });
    await expect(handle.stop()).resolves.toBeUndefined();
  });

  it('decodes characters that are split between chunks', async () => {
    const handle = watch((event) => seen.push(String(event.object?.metadata.labels?.['note'])));
    const object = {
      ...pod('a'),
      metadata: { ...pod('a').metadata, resourceVersion: '900', labels: { note: 'größe' } },
    };
    await handle.synced;
    await connected();
    server.tellSplit({ type: 'ADDED', object });
    await lastIs('größe');
    expect(seen).toContain('ADDED a');
    await handle.stop();
  });
});
