/**
 * What stands between the engine and the test registry, and fails on request.
 *
 * It has two entries: plain HTTP on 127.0.0.1, and a proxy for HTTPS (CONNECT) which answers for every host with its own certificate. An
 * engine with this proxy reaches the test registry as docker.io, and the proxy's faults are those of docker.io. A registry mirror would
 * hide them: after a failure of a mirror, the engine reports only what docker.io says.
 */
import { readFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import type { CommandRunner } from '../../harness/core/command.ts';
import { systemClock } from '../../harness/core/deadline.ts';

/** `cut` and `slow` concern blobs, `corrupt-…` what the name says, all others every request. */
export type FaultKind =
  | 'unauthorized'
  | 'not-found'
  | 'too-many-requests'
  | 'server-error'
  | 'cut'
  | 'slow'
  | 'corrupt-blob'
  | 'corrupt-manifest'
  | 'silent'
  | 'login-page'
  | 'plain-http';

export interface FaultProxy {
  /** `127.0.0.1:PORT`, for references of images and charts. */
  host: string;
  /** File of the certificate that the engine has to trust. */
  certificate: string;
  /** The next requests that the fault concerns fail; the default is all of them. */
  inject: (kind: FaultKind | undefined, times?: number) => void;
  /** How many requests have failed since the last `inject`. */
  failed: () => number;
  stop: () => Promise<void>;
}

/** Names for which the certificate is valid. The engine asks no others. */
const HOSTS = ['registry-1.docker.io', 'auth.docker.io', 'index.docker.io', 'ghcr.io', 'registry.k8s.io'];

/** A fault lasts no longer, so that a test that fails does not hang. */
const SILENCE_MS = 120_000;

/**
 * @param upstream address of the test registry
 * @param folder private; gets the certificate
 */
export async function startFaultProxy(
  upstream: string,
  folder: string,
  command: CommandRunner,
): Promise<FaultProxy> {
  const { key, cert, certificate } = await createCertificate(folder, command);
  const sockets = new Set<Socket>();
  const closing = new AbortController();
  let fault: { kind: FaultKind; left: number } | undefined;
  let failed = 0;

  const concerns = (kind: FaultKind, path: string): boolean => {
    if (kind === 'cut' || kind === 'slow' || kind === 'corrupt-blob') return path.includes('/blobs/');
    if (kind === 'corrupt-manifest') return path.includes('/manifests/');
    return true;
  };
  const take = (path: string): FaultKind | undefined => {
    if (fault === undefined || fault.left <= 0 || !concerns(fault.kind, path)) return undefined;
    fault.left -= 1;
    failed += 1;
    return fault.kind;
  };

  const server = createServer((request, response) => {
    void answer(request, response, take(request.url ?? ''), upstream, closing.signal);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (fault?.kind === 'plain-http') {
      failed += 1;
      const [host, port] = upstream.split(':');
      socket
        .pipe(connect(Number(port), host))
        .on('error', () => {})
        .pipe(socket);
      return;
    }
    const secure = new TLSSocket(socket, { isServer: true, key, cert });
    secure.on('error', () => {});
    server.emit('connection', secure);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificate,
    inject: (kind, times = Infinity) => {
      fault = kind === undefined ? undefined : { kind, left: times };
      failed = 0;
    },
    failed: () => failed,
    stop: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  kind: FaultKind | undefined,
  upstream: string,
  closed: AbortSignal,
): Promise<void> {
  const refuse = (status: number, code: string, headers: Record<string, string> = {}): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
  };
  switch (kind) {
    case 'unauthorized':
      refuse(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="test registry"' });
      return;
    case 'not-found':
      refuse(404, request.url?.includes('/manifests/') ? 'MANIFEST_UNKNOWN' : 'NAME_UNKNOWN');
      return;
    case 'too-many-requests':
      refuse(429, 'TOOMANYREQUESTS', { 'retry-after': '1' });
      return;
    case 'server-error':
      refuse(503, 'UNAVAILABLE');
      return;
    case 'login-page':
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html>Please log in to this network</html>');
      return;
    case 'silent':
      await pause(SILENCE_MS, closed);
      response.destroy();
      return;
    default:
      await forward(request, response, kind, upstream, closed);
  }
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  kind: FaultKind | undefined,
  upstream: string,
  closed: AbortSignal,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = request;
  try {
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      const passed = httpRequest(`http://${upstream}${url}`, {
        method,
        headers: { ...headers, host: upstream },
      });
      passed.once('response', resolve).once('error', reject);
      request.pipe(passed);
    });
    response.writeHead(reply.statusCode ?? 502, reply.headers);
    const chunks: Buffer[] = [];
    for await (const chunk of reply) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (kind === 'cut') {
      response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
      return;
    }
    if (kind === 'slow') {
      for (let at = 0; at < body.length; at += 16) {
        response.write(body.subarray(at, at + 16));
        await pause(50, closed);
      }
      response.end();
      return;
    }
    if (kind === 'corrupt-blob' || kind === 'corrupt-manifest') spoil(body);
    response.end(body);
  } catch {
    response.destroy();
  }
}

/** Changes one byte; JSON with spaces stays valid. */
function spoil(body: Buffer): void {
  const space = body.indexOf('\n ');
  if (space >= 0) body.write('  ', space);
  else if (body.length > 0) body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1);
}

async function pause(ms: number, closed: AbortSignal): Promise<void> {
  await systemClock.sleep(ms, closed).catch(() => {});
}

async function createCertificate(
  folder: string,
  command: CommandRunner,
): Promise<{ key: Buffer; cert: Buffer; certificate: string }> {
  const key = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  const names = HOSTS.map((host) => `DNS:${host}`).join(',');
  await command.run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=kindproof test registry', '-addext', `subjectAltName=${names}`],
    ...['-keyout', key, '-out', certificate],
  ]);
  return { key: await readFile(key), cert: await readFile(certificate), certificate };
}
