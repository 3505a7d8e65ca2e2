/**
 * Watches one kind until stopped: lists, then streams changes. When the stream ends, it resumes from the last resourceVersion; when
 * that has expired (410), it lists again and delivers the difference as events.
 */
import type { Clock } from '../../core/deadline.ts';
import { InterruptedError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { callScope } from '../../core/call-scope.ts';
import type { KindRef, ListOptions, WatchEvent, WatchHandle } from './client.ts';
import type { Discovery } from './discovery.ts';
import { ApiError } from './errors.ts';
import type { Resource } from './known-kinds.ts';
import { resourcePath } from './known-kinds.ts';
import { KnownObjects } from './known-objects.ts';
import { listAll } from './rest.ts';
import { parseObject, parseWatchLine, toApiError } from './status.ts';
import type { Transport } from './transport.ts';
import { isTransient } from './transport.ts';
import type { KubeObject } from './types.ts';

/** The server ends a watch after this time. A stream that lives much longer is a dead connection. */
const SERVER_TIMEOUT_S = 240;
const DEAD_AFTER_MS = (SERVER_TIMEOUT_S + 30) * 1000;
const BACKOFF_MS = { first: 100, most: 5000 };

export interface WatchDeps {
  transport: Transport;
  discovery: Discovery;
  clock: Clock;
  log: Log;
}

type OnEvent = (event: WatchEvent<KubeObject>) => void;

/** The resourceVersion has expired (410). */
class Expired extends Error {}

/**
 * Starts a watch. It reconnects after every lost connection; only a failed first list ends it (`synced` rejects).
 *
 * `stop()` throws the first exception of the callback (which does not stop later events), or a rejection (4xx) that persists until
 * then. A server that is only unreachable at that time is logged.
 */
export function startWatch(
  deps: WatchDeps,
  kind: KindRef,
  options: ListOptions,
  onEvent: OnEvent,
): WatchHandle {
  const { transport, discovery, clock, log } = deps;
  const stopping = new AbortController();
  const scope = callScope([stopping.signal, transport.signal]);
  const { signal } = scope;
  const isStopped = (): boolean => signal.aborted;
  const title = typeof kind === 'string' ? kind : kind.kind;
  const objects = new KnownObjects();
  let callbackError: unknown;
  let refusal: ApiError | undefined;
  let callbackFailed = false;
  /** The resourceVersion to resume from; `undefined` requires a new list. */
  let version: string | undefined;
  let settle: { resolve: () => void; reject: (error: unknown) => void };
  const synced = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  // A caller may never await it.
  synced.catch(() => {});

  function deliver(type: WatchEvent<KubeObject>['type'], object?: KubeObject): void {
    const event = { type, receivedAt: clock.now(), ...(object === undefined ? {} : { object }) };
    try {
      onEvent(event);
    } catch (error) {
      log.error('watch callback failed', { kind: title, type, error: messageOf(error) });
      if (!callbackFailed) callbackError = error;
      callbackFailed = true;
    }
  }

  async function relist(resource: Resource): Promise<void> {
    const list = await listAll(transport, resource, { ...options, signal });
    for (const change of objects.replaceAll(list.items)) deliver(change.type, change.object);
    version = list.resourceVersion;
  }

  /** Streams changes and advances `version` until the stream ends. @throws Expired */
  async function follow(resource: Resource): Promise<void> {
    const from = version;
    const stream = callScope([signal], DEAD_AFTER_MS);
    try {
      const response = await transport.stream(
        {
          what: `watch ${title}`,
          path: resourcePath(resource, { namespace: options.namespace }),
          query: {
            watch: true,
            allowWatchBookmarks: true,
            resourceVersion: from,
            timeoutSeconds: SERVER_TIMEOUT_S,
            labelSelector: options.labelSelector,
            fieldSelector: options.fieldSelector,
          },
        },
        stream.signal,
      );
      if (response.status === 410) {
        await response.body.dump();
        throw new Expired();
      }
      if (response.status >= 400) {
        throw toApiError(`could not watch ${title}`, response.status, await response.body.text());
      }
      refusal = undefined;
      for await (const line of lines(response.body)) {
        // Drops changes that were buffered when the watch was stopped.
        if (signal.aborted) break;
        accept(line);
      }
    } catch (error) {
      if (error instanceof Expired || error instanceof ApiError) throw error;
      if (!signal.aborted && !stream.expired()) {
        log.debug('watch stream broke', { kind: title, version, error: messageOf(error) });
        if (version === from) throw error;
      }
    } finally {
      stream.dispose();
    }
  }

  function accept(line: string): void {
    const { type, object } = parseWatchLine(line);
    if (type === 'ERROR') {
      const code = Number(object['code'] ?? 500);
      if (code === 410) throw new Expired();
      throw toApiError(`could not continue to watch ${title}`, code, JSON.stringify(object));
    }
    const received = parseObject(object);
    if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
      const known = objects.accept(type, received);
      if (known !== undefined) deliver(known, received);
    }
    version = received.metadata.resourceVersion ?? version;
  }

  async function run(): Promise<void> {
    let resource: Resource;
    try {
      resource = await discovery.resolve(kind, { signal });
      await relist(resource);
      deliver('SYNC');
      settle.resolve();
    } catch (error) {
      settle.reject(signal.aborted ? new InterruptedError(`watch of ${title} was stopped`) : error);
      return;
    }
    let pause = BACKOFF_MS.first;
    while (!isStopped()) {
      const before = version;
      try {
        if (version === undefined) await relist(resource);
        await follow(resource);
      } catch (error) {
        if (isStopped()) return;
        if (error instanceof Expired) {
          log.info('watch expired, listing again', { kind: title });
          version = undefined;
        } else {
          if (error instanceof ApiError && !isTransient(error)) refusal = error;
          log.warn('watch failed, retrying', { kind: title, error: messageOf(error) });
        }
      }
      // Backs off when the server ends every stream immediately.
      pause =
        version !== undefined && version !== before ? BACKOFF_MS.first : Math.min(pause * 2, BACKOFF_MS.most);
      await clock.sleep(pause, signal).catch(() => {});
    }
  }

  const running = run().finally(() => {
    scope.dispose();
  });

  return {
    synced,
    problem: () => refusal,
    async stop() {
      stopping.abort();
      await running;
      if (callbackFailed) throw callbackError;
      if (refusal) throw refusal;
    },
  };
}

async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  // A streaming decoder handles characters that are split between chunks.
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.trim() !== '') yield part;
  }
  // A partial last line was cut off with the connection; the next stream delivers it completely.
}
