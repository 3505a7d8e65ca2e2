/** Raw HTTP to one API server, with connection errors as KindproofErrors. */
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Dispatcher } from 'undici';
import { Agent, ProxyAgent, request as undiciRequest } from 'undici';
import pRetry from 'p-retry';
import { seconds } from '../../core/deadline.ts';
import type { ApiError } from './errors.ts';
import { InfrastructureError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { CallOptions } from './client.ts';
import { callScope } from '../../core/call-scope.ts';
import type { Connection, Credentials } from './kubeconfig.ts';
import { toApiError } from './status.ts';

export type Query = Record<string, string | number | boolean | undefined>;

export interface ApiRequest extends CallOptions {
  /** Completes "could not …": `list Pod in default`. */
  what: string;
  method?: Dispatcher.HttpMethod;
  path: string;
  query?: Query;
  headers?: Record<string, string>;
  body?: string;
}

export interface ApiAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface OpenStream {
  status: number;
  headers: Record<string, string>;
  body: Dispatcher.ResponseData['body'];
}

export const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * How long an idle connection is kept. A new one costs both sides a TLS handshake, and undici drops idle ones after 4 s. The API server
 * keeps them for 90 s.
 */
const KEPT_ALIVE = { keepAliveTimeout: 60_000, keepAliveMaxTimeout: 60_000 };

export interface Transport {
  readonly connection: Connection;
  /** Aborted by the run's signal and by `close`; ends every call and watch. */
  readonly signal: AbortSignal;
  /** Sends once and returns any status. @throws E_CLUSTER_UNREACHABLE, E_API_TIMEOUT, InterruptedError */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** Sends once. @throws ApiError for status 400 or higher */
  call(request: ApiRequest): Promise<ApiAnswer>;
  /** Like `call`, for idempotent requests: retries connection errors, 429 and 5xx until the deadline. */
  repeat(request: ApiRequest): Promise<ApiAnswer>;
  /** Returns after the headers. The body is a stream without idle timeout; it ends with `signal`. */
  stream(request: Omit<ApiRequest, 'timeoutMs'>, signal: AbortSignal): Promise<OpenStream>;
  close(): Promise<void>;
}

export function createTransport(
  connection: Connection,
  deps: { log: Log; signal?: AbortSignal | undefined },
): Transport {
  const closing = new AbortController();
  const life = callScope([deps.signal, closing.signal]);
  // One recording has nine watches: many listeners are expected here.
  setMaxListeners(0, life.signal);
  const dispatchers = new Map<string, Dispatcher>();

  function dispatcherFor({ tls }: Credentials): Dispatcher {
    const { ca, cert, key } = tls;
    const id = createHash('sha256')
      .update(JSON.stringify([ca, cert, key].map(String)))
      .digest('hex');
    let dispatcher = dispatchers.get(id);
    if (!dispatcher) {
      // A stream can be silent for a long time. `callScope` limits ordinary calls.
      const options = { bodyTimeout: 0, headersTimeout: 0, ...KEPT_ALIVE };
      dispatcher =
        connection.proxyUrl === undefined
          ? new Agent({ ...options, connect: tls })
          : new ProxyAgent({ ...options, uri: connection.proxyUrl, requestTls: tls });
      dispatchers.set(id, dispatcher);
    }
    return dispatcher;
  }

  async function open(request: ApiRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const credentials = await connection.credentials();
    return undiciRequest(connection.server + request.path + queryString(request.query), {
      method: request.method ?? 'GET',
      headers: {
        accept: 'application/json',
        'user-agent': 'kindproof',
        ...request.headers,
        ...credentials.headers,
      },
      body: request.body ?? null,
      dispatcher: dispatcherFor(credentials),
      signal,
    });
  }

  function explain(request: ApiRequest, error: unknown): Error {
    if (error instanceof InfrastructureError) return error;
    return new InfrastructureError(
      'E_CLUSTER_UNREACHABLE',
      `could not ${request.what}: API server ${connection.server} of context ${connection.context} cannot be reached: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'check that the cluster runs (its node containers, after an engine restart) and that the kubeconfig belongs to it',
        details: { server: connection.server, context: connection.context },
      },
    );
  }

  function noAnswer(request: ApiRequest, timeoutMs: number, cause: unknown): InfrastructureError {
    return new InfrastructureError(
      'E_API_TIMEOUT',
      `could not ${request.what}: API server ${connection.server} of context ${connection.context} did not answer within ${seconds(timeoutMs)}`,
      { cause, hint: 'check whether the machine is overloaded' },
    );
  }

  const transport: Transport = {
    connection,
    signal: life.signal,

    async send(request) {
      const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const scope = callScope([life.signal, request.signal], timeoutMs);
      try {
        const response = await open(request, scope.signal);
        const body = await response.body.text();
        return { status: response.statusCode, headers: flatHeaders(response.headers), body };
      } catch (error) {
        scope.throwIfInterrupted();
        if (!scope.expired()) throw explain(request, error);
        throw noAnswer(request, timeoutMs, error);
      } finally {
        scope.dispose();
      }
    },

    async call(request) {
      const answer = await transport.send(request);
      if (answer.status >= 400) throw toApiError(`could not ${request.what}`, answer.status, answer.body);
      return answer;
    },

    async repeat(request) {
      const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const scope = callScope([life.signal, request.signal], timeoutMs);
      let last: Error | undefined;
      try {
        return await pRetry(() => transport.call({ ...request, timeoutMs, signal: scope.signal }), {
          // About 12 s in total: enough for a restarting API server.
          retries: 6,
          minTimeout: 250,
          maxTimeout: 4000,
          maxRetryTime: timeoutMs,
          signal: scope.signal,
          shouldRetry: ({ error }) => isTransient(error),
          onFailedAttempt: ({ error, attemptNumber }) => {
            // An attempt that the deadline aborted is less informative than the one before it.
            if (!scope.signal.aborted) last = error;
            deps.log.debug('api call failed', { what: request.what, attemptNumber, error: error.message });
          },
        });
      } catch (error) {
        scope.throwIfInterrupted();
        if (!scope.expired()) throw error;
        throw last ?? noAnswer(request, timeoutMs, error);
      } finally {
        scope.dispose();
      }
    },

    async stream(request, signal) {
      try {
        const response = await open(request, signal);
        return {
          status: response.statusCode,
          headers: flatHeaders(response.headers),
          body: response.body,
        };
      } catch (error) {
        if (signal.aborted) throw error;
        throw explain(request, error);
      }
    },

    async close() {
      closing.abort();
      life.dispose();
      await Promise.all([...dispatchers.values()].map((d) => d.destroy()));
      dispatchers.clear();
    },
  };
  return transport;
}

/** Server-side apply answers 500, as for a server failure, to fields that violate the schema (observed with Kubernetes 1.36). */
export const SCHEMA_REFUSAL = /failed to create typed patch object.*/s;

/** Of strict validation, and of fields of the wrong type. */
const NOT_DECODED = /strict decoding error|cannot unmarshal|unable to decode/;

const permanent = new Set(['ENOTFOUND', 'EPROTO', 'ERR_TLS_CERT_ALTNAME_INVALID']);

/** Whether a retry can succeed. */
/** The API server refuses an object for what it contains, not the request for who sends it or when. */
export function isInvalidObject({ status, message }: ApiError): boolean {
  return status === 422 || (status === 400 && NOT_DECODED.test(message)) || SCHEMA_REFUSAL.test(message);
}

export function isTransient(error: unknown): boolean {
  if (error instanceof InfrastructureError && error.code === 'E_API') {
    const status = error.details['status'] as number;
    return status === 429 || (status >= 500 && !SCHEMA_REFUSAL.test(error.message));
  }
  if (!(error instanceof InfrastructureError) || error.code !== 'E_CLUSTER_UNREACHABLE') return false;
  const code = (error.cause as { code?: string } | undefined)?.code ?? '';
  return !permanent.has(code) && !/CERT|SELF_SIGNED|^ERR_SSL/.test(code);
}

function queryString(query: Query | undefined): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

function flatHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}
