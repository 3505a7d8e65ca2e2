/** HTTP requests to an application through the API server's service and pod proxy, which needs no port on this machine. */
import { callScope } from '../../core/call-scope.ts';
import type { HttpAnswer, HttpRequest } from './client.ts';
import { seconds } from '../../core/deadline.ts';
import { InfrastructureError, UsageError } from '../../core/errors.ts';
import { parseStatus } from './status.ts';
import type { Transport } from './transport.ts';
import { DEFAULT_TIMEOUT_MS } from './transport.ts';

/** Marks a response of the API server instead of the application; the value is the reason. */
export const PROXY_ERROR_HEADER = 'x-kindproof-proxy-error';
/** Marks a response whose body was incomplete, e.g. an event stream at the deadline; the body is the received part. */
export const INCOMPLETE_HEADER = 'x-kindproof-incomplete';

/**
 * Sends one request to a Service or pod and returns the application's response with any status.
 *
 * When the API server cannot forward the request (no endpoints, connection refused, no such Service), the result is its own response
 * with {@link PROXY_ERROR_HEADER}. A timeout gives status 504 with that header. Requests are never repeated: the caller decides what a
 * failure means.
 *
 * @throws UsageError for an Authorization header: the API server consumes it, so that the application would never receive it
 * @throws InfrastructureError when the API server is unreachable; InterruptedError when the signal aborts
 */
export async function proxyHttp(
  transport: Transport,
  request: HttpRequest,
  now: () => number,
): Promise<HttpAnswer> {
  const { namespace, target } = request;
  const headers = lowerCase(request.headers ?? {});
  if ('authorization' in headers) {
    throw new UsageError(
      'E_PROXY_AUTHORIZATION',
      `an Authorization header cannot reach ${target.kind} ${target.name}`,
      {
        hint: 'the API server removes it from proxied requests: send the request from a pod (exec) instead',
      },
    );
  }
  const collection = target.kind === 'Service' ? 'services' : 'pods';
  const authority = encodeURIComponent(`${target.name}:${target.port}`).replaceAll('%3A', ':');
  const path = request.path.startsWith('/') ? request.path : `/${request.path}`;
  const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const start = now();
  const scope = callScope([transport.signal, request.signal], timeoutMs);
  const method = request.method ?? 'GET';
  const what = `${method} ${path} at ${target.kind} ${namespace}/${target.name}:${target.port}`;
  let status = 504;
  let answered: Record<string, string> = {};
  const chunks: Buffer[] = [];
  const answer = (extra: Record<string, string> = {}): HttpAnswer => ({
    status,
    headers: { ...answered, ...extra },
    body: Buffer.concat(chunks).toString('utf8'),
    durationMs: Math.round(now() - start),
  });
  try {
    const response = await transport.stream(
      {
        what,
        method,
        path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/${collection}/${authority}/proxy${path}`,
        headers: { accept: '*/*', ...headers },
        ...(request.body === undefined ? {} : { body: request.body }),
      },
      scope.signal,
    );
    ({ status, headers: answered } = response);
    for await (const chunk of response.body) chunks.push(chunk as Buffer);
    const reason = proxyFailure(status, answer().body);
    return answer(reason === undefined ? {} : { [PROXY_ERROR_HEADER]: reason });
  } catch (error) {
    scope.throwIfInterrupted();
    if (!scope.expired()) {
      if (error instanceof InfrastructureError) throw error;
      // The connection broke within the body: the application or the API server stopped.
      return answer({ [INCOMPLETE_HEADER]: error instanceof Error ? error.message : String(error) });
    }
    const reason = `no complete answer within ${seconds(timeoutMs)}`;
    const hasHeaders = Object.keys(answered).length > 0;
    return answer({ [hasHeaders ? INCOMPLETE_HEADER : PROXY_ERROR_HEADER]: reason });
  } finally {
    scope.dispose();
  }
}

/** Why the API server responded instead of the application; `undefined` for a response of the application. */
function proxyFailure(status: number, body: string): string | undefined {
  if (status < 400) return undefined;
  const failure = parseStatus(body);
  // Header values must be a single line.
  if (failure?.status === 'Failure') return oneLine(failure.message ?? failure.reason ?? String(status));
  return /^error trying to reach service/i.test(body) ? oneLine(body) : undefined;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
