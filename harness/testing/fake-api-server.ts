/**
 * An API server for unit tests: real HTTPS with its own certificate, lists, watches with a history that can expire, connections that
 * can be cut, exec over a WebSocket. It has only what the client uses.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { createCommandRunner } from '../core/command.ts';
import type { KubeObject } from '../kube/api/types.ts';

export interface Received {
  method: string;
  /** Path without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

export type Answer = (request: Received, response: ServerResponse) => void;

interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  collection: string;
  object: KubeObject;
  version: number;
}

interface Watcher {
  collection: string;
  response: ServerResponse;
}

/** A command in a fake container: reads its input, writes frames `[channel, text]`, or drops the connection. */
export type FakeCommand = (
  command: string[],
  stdin: string,
) => { frames: [number, string][]; drop?: boolean };

export class FakeApiServer {
  readonly requests: Received[] = [];
  readonly kubeconfig: string;
  onExec: FakeCommand = () => ({ frames: [[3, '{"metadata":{},"status":"Success"}']] });
  readonly #server: Server;
  readonly #directory: string;
  readonly #objects = new Map<string, { collection: string; object: KubeObject }>();
  readonly #sockets = new Set<Duplex>();
  readonly #webSockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v5.channel.k8s.io' });
  readonly #answers: { matches: (request: Received) => boolean; answer: Answer; times: number }[] = [];
  #history: Change[] = [];
  #watchers: Watcher[] = [];
  #version = 100;
  #forgotten = 0;

  private constructor(server: Server, directory: string) {
    this.#server = server;
    this.#directory = directory;
    this.kubeconfig = join(directory, 'kubeconfig');
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => void this.#handle(request, response));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#exec(request, socket, head);
    });
  }

  static async start(): Promise<FakeApiServer> {
    const directory = mkdtempSync(join(tmpdir(), 'kindproof-fake-api-'));
    const key = join(directory, 'key.pem');
    const cert = join(directory, 'cert.pem');
    const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
    const subject = '-subj /CN=fake -addext subjectAltName=IP:127.0.0.1';
    const args = `req -x509 ${newKey} -days 2 ${subject} -keyout ${key} -out ${cert}`;
    await createCommandRunner().run('openssl', args.split(' '));
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const fake = new FakeApiServer(server, directory);
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const user = { name: 'u', user: { token: 'secret-token' } };
    const cluster = { name: 'c', cluster: { server: url, 'certificate-authority': 'cert.pem' } };
    const contexts = [{ name: 'fake', context: { cluster: 'c', user: 'u' } }];
    const config = { clusters: [cluster], users: [user], contexts, 'current-context': 'fake' };
    writeFileSync(fake.kubeconfig, JSON.stringify(config));
    return fake;
  }

  /** Stops the server. Its kubeconfig exists until `stop()`. */
  async die(): Promise<void> {
    this.cutConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Deletes all objects, requests and planned responses. */
  reset(): void {
    this.cutConnections();
    this.requests.length = 0;
    this.#answers.length = 0;
    this.#objects.clear();
    this.forget();
  }

  async stop(): Promise<void> {
    await this.die();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Overrides the response to the next matching requests. */
  answer(path: string | RegExp, answer: Answer, times = 1): void {
    const matches = (r: Received): boolean =>
      typeof path === 'string' ? r.path === path : path.test(r.path);
    this.#answers.push({ matches, answer, times });
  }

  /** Creates or changes an object in a collection such as `/api/v1/namespaces/n/pods`. */
  put(collection: string, object: KubeObject): KubeObject {
    const key = `${collection}/${object.metadata.name}`;
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    const uid = object.metadata.uid ?? `uid-${object.metadata.name}`;
    const version = ++this.#version;
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
    this.#objects.set(key, { collection, object: stored });
    this.#tell({ type, collection, object: stored, version });
    return stored;
  }

  remove(collection: string, name: string): void {
    const stored = this.#objects.get(`${collection}/${name}`);
    if (!stored) throw new Error(`no ${name} in ${collection}`);
    this.#objects.delete(`${collection}/${name}`);
    const version = ++this.#version;
    const metadata = { ...stored.object.metadata, resourceVersion: String(version) };
    this.#tell({ type: 'DELETED', collection, object: { ...stored.object, metadata }, version });
  }

  /** Ends all watch streams, like the server's timeout. */
  endWatches(): void {
    for (const { response } of this.#watchers) response.end();
    this.#watchers = [];
  }

  /** Cuts every connection. */
  cutConnections(): void {
    this.#watchers = [];
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Expires the history: a watch from an earlier version gets 410. */
  forget(): void {
    this.#history = [];
    this.#forgotten = this.#version;
  }

  /** Sends a raw line to every watch. */
  tellRaw(line: object): void {
    for (const { response } of this.#watchers) response.write(`${JSON.stringify(line)}\n`);
  }

  /** Sends a line to every watch in single bytes. */
  tellSplit(line: object): void {
    for (const byte of Buffer.from(`${JSON.stringify(line)}\n`)) {
      for (const { response } of this.#watchers) response.write(Buffer.of(byte));
    }
  }

  get watching(): number {
    return this.#watchers.length;
  }

  #tell(change: Change): void {
    this.#history.push(change);
    for (const { collection, response } of this.#watchers) {
      if (collection === change.collection) response.write(lineOf(change));
    }
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await receive(incoming);
    this.requests.push(request);
    const planned = this.#answers.find((a) => a.times > 0 && a.matches(request));
    if (planned) {
      planned.times -= 1;
      planned.answer(request, response);
      return;
    }
    if (request.method !== 'GET') {
      sendStatus(response, 404, 'NotFound', 'nothing planned for this');
      return;
    }
    if (request.query.get('watch') === 'true') {
      this.#watch(request, response);
      return;
    }
    const named = this.#objects.get(request.path);
    if (named) {
      sendJson(response, 200, named.object);
      return;
    }
    const last = request.path.split('/').at(-1) ?? '';
    if (!/s(es)?$/.test(last)) {
      sendStatus(response, 404, 'NotFound', `${last} not found`);
      return;
    }
    const items = [...this.#objects.values()]
      .filter((o) => o.collection === request.path)
      .map((o) => o.object);
    sendJson(response, 200, {
      apiVersion: items[0]?.apiVersion ?? 'v1',
      kind: `${items[0]?.kind ?? 'Pod'}List`,
      metadata: { resourceVersion: String(this.#version) },
      // Like the real server, without apiVersion and kind.
      items: items.map((item) => ({ ...item, apiVersion: undefined, kind: undefined })),
    });
  }

  #watch(request: Received, response: ServerResponse): void {
    const from = Number(request.query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from < this.#forgotten) {
      const object = { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired', message: 'too old' };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    for (const change of this.#history) {
      if (change.version > from && change.collection === request.path) response.write(lineOf(change));
    }
    this.#watchers.push({ collection: request.path, response });
    response.on('close', () => (this.#watchers = this.#watchers.filter((w) => w.response !== response)));
  }

  #exec(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(incoming.url ?? '/', 'https://fake');
    const request = {
      method: 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: '',
    };
    this.requests.push(request);
    socket.on('error', () => {});
    if (this.#answers.some((a) => a.times > 0 && a.matches(request))) {
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.#webSockets.handleUpgrade(incoming, socket, head, (webSocket) => {
      let stdin = '';
      const run = (): void => {
        const { frames, drop } = this.onExec(url.searchParams.getAll('command'), stdin);
        for (const [channel, text] of frames) {
          webSocket.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)]));
        }
        if (drop) socket.end();
      };
      if (url.searchParams.get('stdin') !== 'true') run();
      webSocket.on('message', (data: Buffer) => {
        // Channel 255 ends the input.
        if (data[0] === 255) run();
        else stdin += data.subarray(1).toString('utf8');
      });
    });
  }
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  details?: object,
): void {
  sendJson(response, code, {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message,
    details,
  });
}

async function receive(incoming: IncomingMessage): Promise<Received> {
  const url = new URL(incoming.url ?? '/', 'https://fake');
  let body = '';
  for await (const chunk of incoming) body += String(chunk);
  const method = incoming.method ?? 'GET';
  return { method, path: url.pathname, query: url.searchParams, headers: incoming.headers, body };
}

function lineOf({ type, object }: Change): string {
  return `${JSON.stringify({ type, object })}\n`;
}
