import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { KubeClient } from './client.ts';
import { FakeApiServer, sendJson, sendStatus } from '../../testing/fake-api-server.ts';
import { createKubeClient } from './http-client.ts';
import { INCOMPLETE_HEADER, PROXY_ERROR_HEADER } from './proxy.ts';

const pods = '/api/v1/namespaces/n/pods';
const pod = (name: string, extra: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  ...extra,
});

let server: FakeApiServer;
let kube: KubeClient;

beforeAll(async () => {
  server = await FakeApiServer.start();
});

beforeEach(async () => {
  kube = await createKubeClient({ kubeconfig: server.kubeconfig });
});

afterEach(async () => {
  await kube.close();
  server.reset();
});

afterAll(() => server.stop());

/** A client of a server that has stopped. */
async function deadServer(): Promise<KubeClient> {
  const other = await FakeApiServer.start();
  onTestFinished(() => other.stop());
  await other.die();
  return createKubeClient({ kubeconfig: other.kubeconfig });
}

describe('reading', () => {
  it('lists objects with kind and unknown fields', async () => {
    server.put(pods, pod('a', { spec: { brandNew: { deep: [1] } } }));
    const [found] = await kube.list('Pod', { namespace: 'n', labelSelector: 'a in (b,c)' });
    expect(found).toMatchObject({ apiVersion: 'v1', kind: 'Pod', spec: { brandNew: { deep: [1] } } });
    expect(server.requests[0]?.query.get('labelSelector')).toBe('a in (b,c)');
    expect(server.requests[0]?.headers.authorization).toBe('Bearer secret-token');
  });

  it('reads all pages of a list', async () => {
    const page = (name: string, next?: string) => ({
      apiVersion: 'v1',
      kind: 'PodList',
      metadata: { resourceVersion: '7', ...(next === undefined ? {} : { continue: next }) },
      items: [{ metadata: { name } }],
    });
    server.answer(pods, (_request, response) => {
      sendJson(response, 200, page('a', 'next'));
    });
    server.answer(pods, (_request, response) => {
      sendJson(response, 200, page('b'));
    });
    expect((await kube.list('Pod', { namespace: 'n' })).map((p) => p.metadata.name)).toEqual(['a', 'b']);
    expect(server.requests[1]?.query.get('continue')).toBe('next');
  });

  it('lists only metadata on request, under the kind of the objects', async () => {
    server.answer(pods, (_request, response) => {
      sendJson(response, 200, {
        apiVersion: 'meta.k8s.io/v1',
        kind: 'PartialObjectMetadataList',
        metadata: {},
        items: [{ apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: { name: 'a' } }],
      });
    });
    expect(await kube.list('Pod', { namespace: 'n', metadataOnly: true })).toEqual([
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
    ]);
    expect(server.requests[0]?.headers.accept).toMatch(/as=PartialObjectMetadataList;.*,application\/json$/);
  });

  it('returns undefined for a missing object', async () => {
    expect(await kube.get('Pod', { name: 'nobody', namespace: 'n' })).toBeUndefined();
  });

  it.each([429, 500, 503])('repeats a read after %d', async (status) => {
    server.put(pods, pod('a'));
    server.answer(`${pods}/a`, (_request, response) => {
      sendStatus(response, status, 'Passing', 'later');
    });
    expect(await kube.get('Pod', { name: 'a', namespace: 'n' })).toBeDefined();
    expect(server.requests).toHaveLength(2);
  });

  it('repeats a read after a broken connection', async () => {
    server.put(pods, pod('a'));
    server.answer(`${pods}/a`, (_request, response) => response.destroy());
    expect(await kube.get('Pod', { name: 'a', namespace: 'n' })).toBeDefined();
  });

  it('does not repeat a rejected read', async () => {
    server.answer(pods, (_request, response) => {
      sendStatus(response, 403, 'Forbidden', 'pods is forbidden');
    });
    await expect(kube.list('Pod', { namespace: 'n' })).rejects.toMatchObject({
      code: 'E_API',
      status: 403,
      reason: 'Forbidden',
      message: 'could not list Pod in n: pods is forbidden',
    });
    expect(server.requests).toHaveLength(1);
  });

  it('names server and context when the server is unreachable', async () => {
    const other = await deadServer();
    await expect(other.list('Pod', { namespace: 'n', timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'E_CLUSTER_UNREACHABLE',
      message: expect.stringMatching(/https:\/\/127\.0\.0\.1:\d+ of context fake/),
      hint: expect.any(String),
    });
  });

  it('times out', async () => {
    server.answer(pods, () => {});
    await expect(kube.list('Pod', { namespace: 'n', timeoutMs: 50 })).rejects.toMatchObject({
      code: 'E_API_TIMEOUT',
    });
  });

  it('can be interrupted', async () => {
    server.answer(pods, () => {});
    const stop = new AbortController();
    const call = kube.list('Pod', { namespace: 'n', signal: stop.signal });
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  });

  it('discovers unknown kinds, and again for kinds that are installed later', async () => {
    const group = (kinds: string[]) => ({
      resources: kinds.map((kind) => ({
        name: `${kind.toLowerCase()}s`,
        kind,
        namespaced: true,
        verbs: ['list'],
      })),
    });
    server.answer('/apis/x.io/v1', (_request, response) => {
      sendJson(response, 200, group(['Thing']));
    });
    server.answer('/apis/x.io/v1', (_request, response) => {
      sendJson(response, 200, group(['Thing', 'Other']));
    });
    await kube.list({ apiVersion: 'x.io/v1', kind: 'Thing' }, { namespace: 'n' });
    await kube.list({ apiVersion: 'x.io/v1', kind: 'Thing' }, { namespace: 'n' });
    await kube.list({ apiVersion: 'x.io/v1', kind: 'Other' }, { namespace: 'n' });
    expect(server.requests.map((r) => r.path)).toEqual([
      '/apis/x.io/v1',
      '/apis/x.io/v1/namespaces/n/things',
      '/apis/x.io/v1/namespaces/n/things',
      '/apis/x.io/v1',
      '/apis/x.io/v1/namespaces/n/others',
    ]);
    expect(await kube.isNamespaced({ apiVersion: 'x.io/v1', kind: 'Thing' })).toBe(true);
    expect(await kube.isNamespaced('PersistentVolume')).toBe(false);
    const missing = kube.get({ apiVersion: 'y.io/v1', kind: 'Gone' }, { name: 'a', namespace: 'n' });
    await expect(missing).rejects.toMatchObject({
      status: 404,
      message: expect.stringMatching(/no kind Gone in y\.io\/v1/),
    });
  });

  it('lists the kinds of all available groups', async () => {
    const resource = (kind: string, verbs: string[]) => ({
      name: `${kind}s`.toLowerCase(),
      kind,
      namespaced: true,
      verbs,
    });
    const groups = ['good.io', 'bad.io'].map((name) => ({
      name,
      versions: [{ groupVersion: `${name}/v1beta1` }, { groupVersion: `${name}/v1` }],
      preferredVersion: { groupVersion: `${name}/v1` },
    }));
    server.answer('/apis', (_request, response) => {
      sendJson(response, 200, { groups });
    });
    const core = [
      resource('Pod', ['list']),
      { ...resource('Pod', ['get']), name: 'pods/log' },
      resource('Binding', ['create']),
    ];
    server.answer('/api/v1', (_request, response) => {
      sendJson(response, 200, { resources: core });
    });
    server.answer(
      /good\.io/,
      (_request, response) => {
        sendJson(response, 200, { resources: [resource('Good', ['list'])] });
      },
      2,
    );
    server.answer(
      /bad\.io/,
      (_request, response) => {
        sendStatus(response, 404, 'NotFound', 'gone');
      },
      9,
    );
    const kinds = (await kube.resources()).map((r) => `${r.apiVersion} ${r.kind}`);
    expect(kinds).toEqual(['v1 Pod', 'good.io/v1 Good']);
  });

  it('lists the kinds of all groups with two requests, where the server can', async () => {
    const version = (name: string, resources: object[], freshness = 'Current') => ({
      version: name,
      freshness,
      resources,
    });
    const of = (kind: string, verbs: string[], scope = 'Namespaced') => ({
      resource: `${kind.toLowerCase()}s`,
      responseKind: { group: '', version: '', kind },
      scope,
      verbs,
    });
    const groups = (items: object[]) => ({ kind: 'APIGroupDiscoveryList', items });
    server.answer('/apis', (_request, response) => {
      const good = [version('v1', [of('Good', ['list'])]), version('v1beta1', [of('Good', ['list'])])];
      const bad = [version('v1', [of('Bad', ['list'])], 'Stale')];
      const items = [
        { metadata: { name: 'good.io' }, versions: good },
        { metadata: { name: 'bad.io' }, versions: bad },
      ];
      sendJson(response, 200, groups(items));
    });
    server.answer('/api', (_request, response) => {
      // Only its subresources have kinds.
      const bare = { resource: 'bares', responseKind: null, scope: 'Namespaced', verbs: [] };
      const core = [of('Pod', ['list']), of('Node', ['list'], 'Cluster'), of('Binding', ['create']), bare];
      sendJson(response, 200, groups([{ metadata: {}, versions: [version('v1', core)] }]));
    });
    const kinds = await kube.resources();
    expect(kinds.map((r) => `${r.apiVersion} ${r.kind} ${r.plural} ${r.namespaced}`)).toEqual([
      'v1 Pod pods true',
      'v1 Node nodes false',
      'good.io/v1 Good goods true',
    ]);
    expect(server.requests.map(({ path }) => path)).toEqual(['/apis', '/api']);
    // They are known from now on.
    expect(await kube.isNamespaced({ apiVersion: 'good.io/v1', kind: 'Good' })).toBe(true);
    expect(server.requests).toHaveLength(2);
  });

  it('passes on tailLines 0', async () => {
    server.answer(`${pods}/a/log`, (_request, response) => response.end('line\n'));
    const text = await kube.logs({ namespace: 'n', pod: 'a', container: 'c', previous: true, tailLines: 0 });
    expect(text).toBe('line\n');
    expect(server.requests[0]?.query.toString()).toBe('container=c&previous=true&tailLines=0');
  });

  it('returns undefined when the kubelet has no log', async () => {
    const message = 'unable to retrieve container logs for containerd://70360dc294ea';
    server.answer(`${pods}/a/log`, (_request, response) => response.end(message));
    expect(await kube.logs({ namespace: 'n', pod: 'a', container: 'c' })).toBeUndefined();
    server.answer(`${pods}/b/log`, (_request, response) => response.end(`I was ${message}\n`));
    expect(await kube.logs({ namespace: 'n', pod: 'b', container: 'c' })).toContain('I was');
  });

  it('reports why a log is unavailable', async () => {
    const message = 'previous terminated container "c" in pod "a" not found';
    server.answer(`${pods}/a/log`, (_request, response) => {
      sendStatus(response, 400, 'BadRequest', message);
    });
    await expect(
      kube.logs({ namespace: 'n', pod: 'a', container: 'c', previous: true }),
    ).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining(message),
    });
  });
});

describe('writing', () => {
  it('applies server-side, with strict validation and dry run', async () => {
    server.answer(`${pods}/a`, (request, response) => {
      sendJson(response, 200, JSON.parse(request.body) as object);
    });
    await kube.apply(pod('a'), { namespace: 'n', strict: true, dryRun: true });
    const [request] = server.requests;
    expect(request?.method).toBe('PATCH');
    expect(request?.headers['content-type']).toBe('application/apply-patch+yaml');
    expect(Object.fromEntries(request?.query ?? [])).toEqual({
      fieldManager: 'kindproof',
      force: 'true',
      dryRun: 'All',
      fieldValidation: 'Strict',
    });
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ metadata: { name: 'a', namespace: 'n' } });
  });

  it('creates with strict validation and dry run', async () => {
    server.answer(pods, (request, response) => {
      sendJson(response, 201, JSON.parse(request.body) as object);
    });
    await kube.create(
      { ...pod('a'), metadata: { name: 'a', namespace: 'n' } },
      { dryRun: true, strict: true },
    );
    const [request] = server.requests;
    expect(request?.method).toBe('POST');
    expect(Object.fromEntries(request?.query ?? [])).toEqual({
      fieldManager: 'kindproof',
      dryRun: 'All',
      fieldValidation: 'Strict',
    });
  });

  it('treats an undeclared field as a bad request, although the server answers 500', async () => {
    const message =
      'failed to create typed patch object (n/a; /v1, Kind=Pod): .spec.replicaz: field not declared in schema';
    server.answer(`${pods}/a`, (_request, response) => {
      sendStatus(response, 500, '', message);
    });
    const call = kube.apply(pod('a'), { namespace: 'n', strict: true, dryRun: true });
    await expect(call).rejects.toMatchObject({
      status: 400,
      reason: 'BadRequest',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ['a list', [{ op: 'remove', path: '/x' }], 'application/json-patch+json'],
    ['an object', { x: null }, 'application/merge-patch+json'],
  ])('patches a subresource with %s', async (_title, patch, contentType) => {
    server.answer(`${pods}/a/status`, (_request, response) => {
      sendJson(response, 200, pod('a'));
    });
    await kube.patch('Pod', { name: 'a', namespace: 'n' }, patch, { subresource: 'status' });
    expect(server.requests[0]?.headers['content-type']).toBe(contentType);
  });

  it.each([
    ['an apply', () => kube.apply(pod('a'), { namespace: 'n' })],
    ['a merge patch', () => kube.patch('Pod', { name: 'a', namespace: 'n' }, { metadata: {} })],
    ['a deletion', () => kube.delete('Pod', { name: 'a', namespace: 'n' })],
  ])('repeats %s, which is idempotent', async (_title, send) => {
    server.answer(`${pods}/a`, (_request, response) => {
      sendStatus(response, 503, 'ServiceUnavailable', 'etcdserver: leader changed');
    });
    server.answer(`${pods}/a`, (_request, response) => {
      sendJson(response, 200, pod('a'));
    });
    await send();
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    ['a create', pods, () => kube.create(pod('a', { metadata: { name: 'a', namespace: 'n' } }))],
    [
      'a JSON patch',
      `${pods}/a`,
      () =>
        kube.patch('Pod', { name: 'a', namespace: 'n' }, [
          { op: 'add', path: '/metadata/finalizers/-', value: 'x' },
        ]),
    ],
  ])('does not repeat %s, which is not idempotent', async (_title, path, send) => {
    server.answer(path, (_request, response) => {
      sendStatus(response, 500, 'InternalError', 'oops');
    });
    await expect(send()).rejects.toMatchObject({ code: 'E_API', status: 500 });
    expect(server.requests).toHaveLength(1);
  });

  it('ignores the deletion of a missing object', async () => {
    await expect(kube.delete('Pod', { name: 'nobody', namespace: 'n' })).resolves.toBeUndefined();
    expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({ propagationPolicy: 'Background' });
  });

  it('requires an explicit namespace', async () => {
    await expect(kube.apply(pod('a'))).rejects.toMatchObject({ code: 'E_NO_NAMESPACE' });
  });

  it('distinguishes a refused eviction from an overloaded server', async () => {
    const causes = [
      {
        reason: 'DisruptionBudget',
        message: 'The disruption budget b needs 2 healthy pods and has 2 currently',
      },
    ];
    const refuse = 'Cannot evict pod as it would violate the disruption budget.';
    server.answer(`${pods}/a/eviction`, (_request, response) => {
      sendStatus(response, 429, 'TooManyRequests', refuse, { causes });
    });
    server.answer(`${pods}/a/eviction`, (_request, response) =>
      response.writeHead(429).end('Too many requests'),
    );
    server.answer(`${pods}/a/eviction`, (_request, response) => {
      sendJson(response, 201, { kind: 'Status', status: 'Success' });
    });
    const ref = { name: 'a', namespace: 'n' };
    expect(await kube.evict(ref)).toEqual({
      evicted: false,
      reason: `${refuse} ${String(causes[0]?.message)}`,
    });
    await expect(kube.evict(ref)).rejects.toMatchObject({ status: 429 });
    expect(await kube.evict(ref)).toEqual({ evicted: true });
  });
});

describe('http through the proxy', () => {
  const proxied = '/api/v1/namespaces/n/services/web:8080/proxy/health';
  const target = { kind: 'Service' as const, name: 'web', port: 8080 };

  it('returns the response of the application with any status', async () => {
    server.answer(proxied, (request, response) => {
      response
        .writeHead(503, { 'x-app': request.method })
        .end(`got ${request.body} ${String(request.query.get('q'))}`);
    });
    const answer = await kube.http({
      namespace: 'n',
      target,
      method: 'POST',
      path: '/health?q=1',
      body: 'hello',
    });
    expect(answer).toMatchObject({ status: 503, body: 'got hello 1', headers: { 'x-app': 'POST' } });
    expect(answer.headers).not.toHaveProperty(PROXY_ERROR_HEADER);
  });

  it.each([
    ['no endpoints', 503, 'ServiceUnavailable', 'no endpoints available for service "web"'],
    ['no service', 404, 'NotFound', 'services "web" not found'],
  ])('marks a response of the API server: %s', async (_title, status, reason, message) => {
    server.answer(proxied, (_request, response) => {
      sendStatus(response, status, reason, message);
    });
    const answer = await kube.http({ namespace: 'n', target, path: '/health' });
    expect(answer).toMatchObject({ status, headers: { [PROXY_ERROR_HEADER]: message } });
  });

  it('returns 504 when the application does not respond', async () => {
    server.answer(proxied, () => {});
    const answer = await kube.http({ namespace: 'n', target, path: 'health', timeoutMs: 50 });
    expect(answer.status).toBe(504);
    expect(answer.headers[PROXY_ERROR_HEADER]).toMatch(/no complete answer within/);
  });

  it('returns what an event stream sent until the deadline', async () => {
    server.answer(proxied, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    });
    const answer = await kube.http({ namespace: 'n', target, path: '/health', timeoutMs: 3000 });
    expect(answer).toMatchObject({ status: 200, body: 'data: 1\n\n' });
    expect(answer.headers).toHaveProperty(INCOMPLETE_HEADER);
  });

  it('rejects an Authorization header, which the API server would remove', async () => {
    const call = kube.http({ namespace: 'n', target, path: '/', headers: { Authorization: 'Bearer x' } });
    await expect(call).rejects.toMatchObject({ code: 'E_PROXY_AUTHORIZATION' });
  });
});

describe('exec', () => {
  // Like the real server, without apiVersion and kind.
  const status = (body: object): [number, string] => [3, JSON.stringify({ metadata: {}, ...body })];
  const failed = status({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '3' }] },
  });

  it('returns exit code, stdout and stderr', async () => {
    server.onExec = ([command]) => ({ frames: [[1, `ran ${String(command)}`], [2, 'warned'], failed] });
    const result = await kube.exec({
      namespace: 'n',
      pod: 'a',
      container: 'c',
      command: ['sh', '-c', 'exit 3'],
    });
    expect(result).toEqual({ exitCode: 3, stdout: 'ran sh', stderr: 'warned' });
    expect(server.requests[0]?.query.toString()).toMatch(
      /^stdout=true&stderr=true&stdin=false&tty=false&container=c/,
    );
  });

  it('sends input, ends it, and receives the output', async () => {
    server.onExec = (_command, stdin) => ({
      frames: [[1, stdin.toUpperCase()], status({ status: 'Success' })],
    });
    const result = await kube.exec({ namespace: 'n', pod: 'a', command: ['cat'], stdin: 'héllo' });
    expect(result).toEqual({ exitCode: 0, stdout: 'HÉLLO', stderr: '' });
  });

  it.each([
    [
      'the connection drops',
      { frames: [[1, 'half']] as [number, string][], drop: true },
      'E_EXEC_DROPPED',
      /half/,
    ],
    [
      'the container does not exist',
      {
        frames: [
          status({ status: 'Failure', code: 400, reason: 'BadRequest', message: 'container not found' }),
        ],
      },
      'E_API',
      /container not found/,
    ],
  ])('fails when %s', async (_title, result, code, message) => {
    server.onExec = () => result;
    const call = kube.exec({ namespace: 'n', pod: 'a', command: ['x'] });
    await expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('supports an interactive session', async () => {
    server.onExec = (_command, stdin) => ({
      frames: [[1, stdin.toUpperCase()], status({ status: 'Success' })],
    });
    const received: string[] = [];
    const session = await kube.openExec({
      namespace: 'n',
      pod: 'a',
      command: ['agent'],
      stdin: true,
      onOutput: (stream, data) => received.push(`${stream}: ${data.toString()}`),
    });
    session.write('one ');
    session.write('two');
    expect(session.canEndInput).toBe(true);
    session.endInput();
    expect(await session.ended).toEqual({ exitCode: 0, stdout: 'ONE TWO', stderr: '' });
    expect(received).toEqual(['stdout: ONE TWO']);
  });

  it('can drop the connection', async () => {
    server.onExec = () => ({ frames: [] });
    const session = await kube.openExec({ namespace: 'n', pod: 'a', command: ['agent'], stdin: true });
    session.drop();
    await expect(session.ended).rejects.toMatchObject({ code: 'E_EXEC_DROPPED' });
  });

  it('times out', async () => {
    server.onExec = () => ({ frames: [] });
    const call = kube.exec({ namespace: 'n', pod: 'a', command: ['sleep'], timeoutMs: 50 });
    await expect(call).rejects.toMatchObject({ code: 'E_EXEC_TIMEOUT' });
  });

  it('fails when the pod does not exist', async () => {
    server.answer(/exec$/, () => {});
    await expect(kube.exec({ namespace: 'n', pod: 'a', command: ['x'] })).rejects.toMatchObject({
      status: 404,
    });
  });

  it('can be interrupted', async () => {
    server.onExec = () => ({ frames: [] });
    const stop = new AbortController();
    const call = kube.exec({ namespace: 'n', pod: 'a', command: ['x'], signal: stop.signal });
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  });

  it('reports an unreachable cluster', async () => {
    const other = await deadServer();
    await expect(other.exec({ namespace: 'n', pod: 'a', command: ['x'] })).rejects.toMatchObject({
      code: 'E_CLUSTER_UNREACHABLE',
    });
  });
});

describe('createKubeClient', () => {
  it('provides a client for teardown that works after an interruption', async () => {
    const stop = new AbortController();
    const interrupted = await createKubeClient({ kubeconfig: server.kubeconfig, signal: stop.signal });
    onTestFinished(() => interrupted.close());
    stop.abort();
    await expect(interrupted.list('Pod', { namespace: 'n' })).rejects.toMatchObject({
      code: 'E_INTERRUPTED',
    });
    expect(await interrupted.teardown.list('Pod', { namespace: 'n' })).toEqual([]);
  });

  it.each([
    ['a missing file', { kubeconfig: 'no/such/file' }, /does not exist/],
    ['an unknown context', { context: 'other' }, /has no context other/],
  ])('rejects %s', async (_title, options, message) => {
    const call = createKubeClient({ kubeconfig: server.kubeconfig, ...options });
    await expect(call).rejects.toMatchObject({
      code: 'E_KUBECONFIG',
      message: expect.stringMatching(message),
    });
  });
});
