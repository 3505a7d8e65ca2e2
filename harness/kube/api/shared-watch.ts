/**
 * One watch of a kind for the whole cluster, shared by all who follow a namespace. With a watch for each namespace, the API server and this
 * process keep nine connections for every check that runs.
 */
import type { Clock } from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { KindRef, KubeClient, WatchEvent, WatchHandle } from './client.ts';
import { uidOf } from './objects.ts';
import type { KubeObject } from './types.ts';

type OnEvent = (event: WatchEvent<KubeObject>) => void;

/** Somebody who follows one namespace. */
interface Follower {
  namespace: string;
  onEvent: OnEvent;
  failed: boolean;
  error: unknown;
}

/** A watch of one kind for the cluster. */
interface ClusterWatch {
  handle: WatchHandle;
  isSynced: boolean;
  /** By uid. */
  objects: Map<string, KubeObject>;
  followers: Set<Follower>;
}

export interface SharedWatchDeps {
  /** Its `watch` is that of one kind, in a namespace or in all. */
  kube: Pick<KubeClient, 'watch'>;
  /** Whether the kind may be watched in the whole cluster. */
  allowed: (kind: KindRef) => Promise<boolean>;
  clock: Clock;
  log: Log;
}

/** Watches namespaces through watches of the whole cluster. Where these are not allowed, each namespace gets its own. */
export class SharedWatches {
  readonly #deps: SharedWatchDeps;
  readonly #watches = new Map<string, ClusterWatch>();
  readonly #allowed = new Map<string, Promise<boolean>>();

  constructor(deps: SharedWatchDeps) {
    this.#deps = deps;
  }

  /**
   * Delivers what `KubeClient.watch` delivers for a namespace: present objects, `SYNC`, changes. Events of one kind come in their order.
   *
   * `stop()` throws the first exception of the callback, or a rejection of the watch that persists until then.
   */
  follow(kind: KindRef, namespace: string, onEvent: OnEvent): WatchHandle {
    let isStopped = false;
    let handle: WatchHandle | undefined;
    const started = this.#isAllowed(kind).then((allowed) => {
      if (isStopped) return;
      handle = allowed
        ? this.#join(kind, namespace, onEvent)
        : this.#deps.kube.watch(kind, { namespace }, onEvent);
      return handle.synced;
    });
    // A caller may never await it.
    started.catch(() => {});
    return {
      synced: started,
      async stop() {
        isStopped = true;
        await handle?.stop();
      },
    };
  }

  #isAllowed(kind: KindRef): Promise<boolean> {
    const key = titleOf(kind);
    let known = this.#allowed.get(key);
    if (!known) {
      known = this.#deps.allowed(kind);
      this.#allowed.set(key, known);
      // A failed question is asked again.
      known.catch(() => this.#allowed.delete(key));
    }
    return known;
  }

  #join(kind: KindRef, namespace: string, onEvent: OnEvent): WatchHandle {
    const { clock } = this.#deps;
    const key = titleOf(kind);
    const watch = this.#watches.get(key) ?? this.#start(key, kind);
    const follower: Follower = { namespace, onEvent, failed: false, error: undefined };
    watch.followers.add(follower);
    if (watch.isSynced) {
      const receivedAt = clock.now();
      for (const object of watch.objects.values()) {
        if (object.metadata.namespace === namespace)
          this.#deliver(follower, { type: 'ADDED', object, receivedAt });
      }
      this.#deliver(follower, { type: 'SYNC', receivedAt });
    }
    return {
      synced: watch.handle.synced,
      stop: async () => {
        watch.followers.delete(follower);
        const problem = watch.handle.problem?.();
        if (watch.followers.size === 0 && this.#watches.get(key) === watch) {
          this.#watches.delete(key);
          await watch.handle.stop();
        }
        if (follower.failed) throw follower.error;
        if (problem) throw problem;
      },
    };
  }

  #start(key: string, kind: KindRef): ClusterWatch {
    const objects = new Map<string, KubeObject>();
    const followers = new Set<Follower>();
    const handle = this.#deps.kube.watch(kind, {}, (event: WatchEvent<KubeObject>) => {
      const { type, object } = event;
      if (type === 'SYNC') watch.isSynced = true;
      if (object) {
        if (type === 'DELETED') objects.delete(uidOf(object));
        else objects.set(uidOf(object), object);
      }
      for (const follower of followers) {
        if (!object || object.metadata.namespace === follower.namespace) this.#deliver(follower, event);
      }
    });
    const watch: ClusterWatch = { handle, isSynced: false, objects, followers };
    this.#watches.set(key, watch);
    // A watch that never started delivers nothing: the next follower starts another one.
    handle.synced.catch(() => {
      if (this.#watches.get(key) === watch) this.#watches.delete(key);
    });
    return watch;
  }

  /** One follower's exception must not end the events of the others. */
  #deliver(follower: Follower, event: WatchEvent<KubeObject>): void {
    try {
      follower.onEvent(event);
    } catch (error) {
      this.#deps.log.error('watch callback failed', {
        namespace: follower.namespace,
        error: messageOf(error),
      });
      if (!follower.failed) follower.error = error;
      follower.failed = true;
    }
  }
}

function titleOf(kind: KindRef): string {
  return typeof kind === 'string' ? kind : `${kind.apiVersion} ${kind.kind}`;
}
