import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../core/deadline.ts';
import { silentLog } from '../../core/log.ts';
import { FakeApiServer, sendJson, sendStatus } from '../../testing/fake-api-server.ts';
import type { KubeClient, WatchHandle } from './client.ts';
import { createKubeClient } from './http-client.ts';
import { MOST_OBJECTS } from './may-watch-cluster.ts';
import type { KubeObject } from './types.ts';

const ALL = '/api/v1/pods';
const own = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
const pod = (namespace: string, name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, uid: `${namespace}-${name}` },
});

let server: FakeApiServer;
let kube: KubeClient;
let seen: string[];
let warnings: string[];

beforeAll(async () => {
  server = await FakeApiServer.start();
});
beforeEach(async () => {
  seen = [];
  warnings = [];
  const warn = (_message: string, fields?: Record<string, unknown>): void =>
    void warnings.push(`${String(fields?.['kind'])}: ${String(fields?.['why'])}`);
  kube = await createKubeClient({ kubeconfig: server.kubeconfig, log: { ...silentLog, warn } });
});
afterEach(async () => {
  await kube.close();
  server.reset();
});
afterAll(() => server.stop());

/** The user may do everything, or not watch the cluster. */
function permit(allowed: boolean): void {
  server.answer('/apis/authorization.k8s.io/v1', (_, response) =>
    sendJson(response, 200, {
      resources: [
        {
          name: 'selfsubjectaccessreviews',
          kind: 'SelfSubjectAccessReview',
          namespaced: false,
          verbs: ['create'],
        },
      ],
    }),
  );
  server.answer(/selfsubjectaccessreviews$/, (_, response) =>
    sendJson(response, 201, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      metadata: {},
      status: { allowed },
    }),
  );
}

function follow(namespace: string, onEvent = (): void => {}): WatchHandle {
  return kube.follow('Pod', namespace, ({ type, object }) => {
    seen.push([namespace, type, object?.metadata.name].filter(Boolean).join(' '));
    onEvent();
  });
}

const until = (what: string, isSo: () => boolean): Promise<void> =>
  waitFor({
    what,
    timeoutMs: 5000,
    intervalMs: 5,
    look: () =>
      Promise.resolve(isSo() ? { done: true, value: undefined } : { done: false, seen: seen.join(', ') }),
  });
const watches = (): string[] =>
  server.requests.filter(({ query }) => query.get('watch') === 'true').map(({ path }) => path);

describe('followers of namespaces', () => {
  it('share one watch of the cluster, and each gets its own namespace', async () => {
    permit(true);
    server.put(ALL, pod('one', 'a'));
    server.put(ALL, pod('other', 'x'));
    const one = follow('one');
    await one.synced;
    await until('the watch', () => server.watching === 1);
    server.put(ALL, pod('two', 'b'));
    server.put(ALL, pod('one', 'c'));
    await until('the change', () => seen.includes('one ADDED c'));
    // A later follower gets what is there, and then every change.
    const two = follow('two');
    await two.synced;
    server.remove(ALL, 'b');
    await until('the deletion', () => seen.includes('two DELETED b'));
    expect(seen).toEqual([
      'one ADDED a',
      'one SYNC',
      'one ADDED c',
      'two ADDED b',
      'two SYNC',
      'two DELETED b',
    ]);
    expect(watches()).toEqual([ALL]);
    await one.stop();
    server.put(ALL, pod('one', 'd'));
    server.put(ALL, pod('two', 'e'));
    await until('the change', () => seen.includes('two ADDED e'));
    expect(seen).not.toContain('one ADDED d');
    await two.stop();
    await until('the end of the watch', () => server.watching === 0);
    expect(warnings).toEqual([]);
  });

  it('miss nothing when the history has expired', async () => {
    permit(true);
    server.put(ALL, pod('one', 'a'));
    await follow('one').synced;
    await until('the watch', () => server.watching === 1);
    server.cutConnections();
    server.remove(ALL, 'a');
    server.put(ALL, pod('one', 'b'));
    server.forget();
    await until('the difference', () => seen.includes('one ADDED b'));
    expect(seen).toEqual(['one ADDED a', 'one SYNC', 'one DELETED a', 'one ADDED b']);
  });

  it('do not suffer from the exception of one, which its stop() throws', async () => {
    permit(true);
    const broken = follow('one', () => {
      throw new Error('a bug');
    });
    const sound = follow('one');
    await Promise.all([broken.synced, sound.synced]);
    await until('the watch', () => server.watching === 1);
    server.put(ALL, pod('one', 'a'));
    await until('both', () => seen.filter((line) => line === 'one ADDED a').length === 2);
    await expect(broken.stop()).rejects.toThrow('a bug');
    await sound.stop();
  });

  it('hear at the end that the server rejects the watch', async () => {
    permit(true);
    const handle = follow('one');
    const other = follow('two');
    await Promise.all([handle.synced, other.synced]);
    await until('the watch', () => server.watching === 1);
    const asked = (): number => server.requests.filter(({ path }) => path === ALL).length;
    const before = asked();
    server.answer(ALL, (_, response) => sendStatus(response, 403, 'Forbidden', 'no longer'), 1000);
    server.endWatches();
    // The second attempt shows that the answer to the first one has been read.
    await until('the attempt after the rejection', () => asked() > before + 1);
    await expect(handle.stop()).rejects.toThrow('no longer');
  });
});

describe('without a watch of the cluster, each namespace has its own, and the log says why', () => {
  it.each<[string, () => void, RegExp]>([
    [
      'the user may not list the cluster',
      () => server.answer(ALL, (_, response) => sendStatus(response, 403, 'Forbidden', 'pods is forbidden')),
      /^Pod: .*pods is forbidden$/,
    ],
    [
      'the user may not watch the cluster',
      () => permit(false),
      /may list it in the whole cluster, but not watch it$/,
    ],
    [
      'the cluster has many objects',
      () => {
        permit(true);
        server.answer(ALL, (_, response) =>
          sendJson(response, 200, { metadata: { remainingItemCount: MOST_OBJECTS }, items: [{}] }),
        );
      },
      /the cluster has 1001 objects of it$/,
    ],
  ])('when %s', async (_, plan, why) => {
    plan();
    server.put(own('one'), pod('one', 'a'));
    const handles = ['one', 'two'].map((namespace) => follow(namespace));
    await Promise.all(handles.map(({ synced }) => synced));
    await until('the watches', () => server.watching === 2);
    server.put(own('two'), pod('two', 'b'));
    await until('the change', () => seen.includes('two ADDED b'));
    expect(seen).toContain('one ADDED a');
    expect(watches().sort()).toEqual([own('one'), own('two')]);
    expect(warnings).toEqual([expect.stringMatching(why)]);
    await Promise.all(handles.map((handle) => handle.stop()));
  });
});
