/** The implementation of KubeClient: one cluster, one set of connections. */
import type { Clock } from '../../core/deadline.ts';
import { systemClock } from '../../core/deadline.ts';
import type { Log } from '../../core/log.ts';
import { silentLog } from '../../core/log.ts';
import type { KindRef, KubeClient, ListOptions, ObjectOf, WatchEvent, WatchHandle } from './client.ts';
import { createDiscovery } from './discovery.ts';
import { execInPod, openExec } from './exec.ts';
import type { Connection } from './kubeconfig.ts';
import { loadConnection } from './kubeconfig.ts';
import { mayWatchCluster } from './may-watch-cluster.ts';
import { proxyHttp } from './proxy.ts';
import { createRestCalls } from './rest.ts';
import { SharedWatches } from './shared-watch.ts';
import { createTransport } from './transport.ts';
import type { KubeObject } from './types.ts';
import { startWatch } from './watch.ts';

export interface KubeClientOptions {
  /** The only kubeconfig that is read. */
  kubeconfig: string;
  /** Default: the file's current-context. */
  context?: string | undefined;
  log?: Log | undefined;
  /** Aborts every call and watch. */
  signal?: AbortSignal | undefined;
  clock?: Clock | undefined;
}

/**
 * Creates a client for the cluster of a kubeconfig. It connects with the first call.
 *
 * @throws UsageError `E_KUBECONFIG` when the file or the context is not usable
 */
export async function createKubeClient(options: KubeClientOptions): Promise<KubeClient> {
  const log = options.log ?? silentLog;
  const clock = options.clock ?? systemClock;
  const connection = loadConnection(options);
  // Loads the credentials now, so that a broken credential plugin fails here and not in the middle of a run.
  await connection.credentials();
  return openClient(connection, { log, clock, signal: options.signal });
}

interface ClientDeps {
  log: Log;
  clock: Clock;
  signal: AbortSignal | undefined;
}

function openClient(connection: Connection, deps: ClientDeps): KubeClient {
  const { log, clock } = deps;
  const transport = createTransport(connection, deps);
  const discovery = createDiscovery(transport, log);
  const watches = new Set<WatchHandle>();
  let teardown: KubeClient | undefined;

  const client: KubeClient = {
    ...createRestCalls(transport, discovery),

    // A second client, created on first use: most clients are closed without it.
    get teardown() {
      if (!deps.signal) return client;
      return (teardown ??= openClient(connection, { log, clock, signal: undefined }));
    },

    watch<K extends KindRef>(
      kind: K,
      listOptions: ListOptions,
      onEvent: (event: WatchEvent<ObjectOf<K>>) => void,
    ): WatchHandle {
      const started = startWatch(
        { transport, discovery, clock, log },
        kind,
        listOptions,
        onEvent as (event: WatchEvent<KubeObject>) => void,
      );
      const handle: WatchHandle = {
        ...started,
        stop: () => {
          watches.delete(handle);
          return started.stop();
        },
      };
      watches.add(handle);
      return handle;
    },

    follow<K extends KindRef>(
      kind: K,
      namespace: string,
      onEvent: (event: WatchEvent<ObjectOf<K>>) => void,
    ): WatchHandle {
      return shared.follow(kind, namespace, onEvent as (event: WatchEvent<KubeObject>) => void);
    },

    exec: (execOptions) => execInPod(connection, transport.signal, execOptions),
    openExec: (execOptions) => openExec(connection, transport.signal, execOptions),
    http: (request) => proxyHttp(transport, request, () => clock.now()),
    isNamespaced: async (kind, callOptions) => (await discovery.resolve(kind, callOptions)).namespaced,
    resources: () => discovery.listable(),

    async close() {
      // Errors of watches that were not stopped are dropped.
      await Promise.allSettled([...watches].map((watch) => watch.stop()));
      await Promise.all([transport.close(), teardown?.close()]);
    },
  };
  const shared = new SharedWatches({
    kube: client,
    allowed: (kind) => mayWatchCluster(kind, { kube: client, transport, discovery, log }),
    clock,
    log,
  });
  return client;
}
