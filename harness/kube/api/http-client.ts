/** The adapter behind the KubeClient port: one cluster, one set of connections. */
import type { Clock } from '../../core/deadline.ts';
import { systemClock } from '../../core/deadline.ts';
import type { Log } from '../../core/log.ts';
import { silentLog } from '../../core/log.ts';
import type { KindRef, KubeClient, ListOptions, ObjectOf, WatchEvent, WatchHandle } from './client.ts';
import { createDiscovery } from './discovery.ts';
import { execInPod, openExec } from './exec.ts';
import { loadConnection } from './kubeconfig.ts';
import { proxyHttp } from './proxy.ts';
import { createRestCalls } from './rest.ts';
import { createTransport } from './transport.ts';
import type { KubeObject } from './types.ts';
import { startWatch } from './watch.ts';

export { INCOMPLETE_HEADER, PROXY_ERROR_HEADER } from './proxy.ts';

export interface KubeClientOptions {
  /** The one file that is read. */
  kubeconfig: string;
  /** Default: the file's current-context. */
  context?: string | undefined;
  log?: Log | undefined;
  /** Ends every call and watch. */
  signal?: AbortSignal | undefined;
  clock?: Clock | undefined;
}

/**
 * A client for the cluster that a kubeconfig names. Nothing is sent before the first call.
 *
 * @throws UsageError `E_KUBECONFIG` when the file or the context cannot be used
 */
export async function createKubeClient(options: KubeClientOptions): Promise<KubeClient> {
  const log = options.log ?? silentLog;
  const clock = options.clock ?? systemClock;
  const connection = loadConnection(options);
  // Credentials are tried at once: a plugin that does not work should fail here and not in the midst of a run.
  await connection.credentials();
  const transport = createTransport(connection, { log, signal: options.signal });
  const discovery = createDiscovery(transport, log);
  const watches = new Set<WatchHandle>();

  return {
    ...createRestCalls(transport, discovery),

    watch<K extends KindRef>(
      kind: K,
      listOptions: ListOptions,
      onEvent: (event: WatchEvent<ObjectOf<K>>) => void,
    ): WatchHandle {
      const deps = { transport, discovery, clock, log };
      const started = startWatch(deps, kind, listOptions, onEvent as (event: WatchEvent<KubeObject>) => void);
      const handle: WatchHandle = {
        synced: started.synced,
        stop: () => {
          watches.delete(handle);
          return started.stop();
        },
      };
      watches.add(handle);
      return handle;
    },

    exec: (execOptions) => execInPod(connection, transport.signal, execOptions),
    openExec: (execOptions) => openExec(connection, transport.signal, execOptions),
    http: (request) => proxyHttp(transport, request, () => clock.now()),
    resources: () => discovery.listable(),

    async close() {
      // Whoever opened a watch and did not stop it is not there any more to hear of its errors.
      await Promise.allSettled([...watches].map((watch) => watch.stop()));
      await transport.close();
    },
  };
}
