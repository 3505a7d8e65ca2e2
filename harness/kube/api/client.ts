/**
 * The port through which everything else talks to a cluster. One adapter implements it (`http-client.ts`); it is the only
 * place that knows @kubernetes/client-node.
 */
import type {
  ConfigMap,
  EndpointSlice,
  KubeEvent,
  KubeObject,
  Node,
  Pod,
  Service,
  Workload,
} from './types.ts';

/** Kinds with a known type; any other kind is addressed by its apiVersion and kind and read as KubeObject. */
export interface KnownKinds {
  Pod: Pod;
  Deployment: Workload;
  StatefulSet: Workload;
  DaemonSet: Workload;
  ReplicaSet: Workload;
  Job: Workload;
  Event: KubeEvent;
  EndpointSlice: EndpointSlice;
  Service: Service;
  Node: Node;
  ConfigMap: ConfigMap;
  Secret: ConfigMap;
  Namespace: KubeObject;
  PersistentVolumeClaim: KubeObject;
  PersistentVolume: KubeObject;
  StorageClass: KubeObject;
  RuntimeClass: KubeObject;
  PriorityClass: KubeObject;
  ServiceAccount: KubeObject;
}

export type KnownKind = keyof KnownKinds;
/** Either the name of a known kind, or `{apiVersion, kind}` for any other. */
export type KindRef = KnownKind | { apiVersion: string; kind: string };
export type ObjectOf<K extends KindRef> = K extends KnownKind ? KnownKinds[K] : KubeObject;

export interface ListOptions {
  namespace?: string | undefined;
  /** `a=b,c in (d,e)` as in kubectl. */
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface ObjectRef {
  name: string;
  namespace?: string | undefined;
}

export interface CallOptions {
  /** Default 30 000 ms. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface WatchEvent<T> {
  /** `SYNC` follows the initial list: from here on events are live. */
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'SYNC';
  object?: T;
  /** When this process received it, ms since the epoch. API times are whole seconds only. */
  receivedAt: number;
}

export interface WatchHandle {
  /** Resolves when the initial list has been delivered. */
  synced: Promise<void>;
  stop(): Promise<void>;
}

export interface ExecOptions extends CallOptions {
  namespace: string;
  pod: string;
  container?: string | undefined;
  command: string[];
  stdin?: string | undefined;
  tty?: boolean | undefined;
}

export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface ExecSessionOptions extends Omit<ExecOptions, 'stdin'> {
  /** Whether the command gets an input at all. */
  stdin: boolean;
  /** Called with every piece as it comes. */
  onOutput?: ((stream: 'stdout' | 'stderr', data: Buffer) => void) | undefined;
}

/** A command that runs, as a client with `kubectl exec -i` is connected to it. `timeoutMs` is the limit of the whole session. */
export interface ExecSession {
  write(input: string): void;
  /** Whether the API server can be told that the input ends (Kubernetes 1.30 and later). */
  readonly canEndInput: boolean;
  /** The command reads end of file; it is still heard. */
  endInput(): void;
  /** Cuts the connection, as a client that is killed does; `ended` rejects then with `E_EXEC_DROPPED`. */
  drop(): void;
  /** Everything up to now. */
  output(): { stdout: string; stderr: string };
  readonly ended: Promise<ExecResult>;
}

export interface HttpRequest extends CallOptions {
  namespace: string;
  /** Through the API server's proxy to a Service (one ready endpoint is chosen) or to one pod. */
  target: { kind: 'Service' | 'Pod'; name: string; port: number | string };
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
  durationMs: number;
}

export interface LogOptions extends CallOptions {
  namespace: string;
  pod: string;
  container: string;
  /** Of the previous instance of the container. */
  previous?: boolean;
  tailLines?: number;
  limitBytes?: number;
}

export interface KubeClient {
  /** gitVersion of the API server, e.g. `v1.36.3`. */
  version(): Promise<string>;
  list<K extends KindRef>(kind: K, options?: ListOptions & CallOptions): Promise<ObjectOf<K>[]>;
  /** `undefined` when there is no such object. */
  get<K extends KindRef>(kind: K, ref: ObjectRef, options?: CallOptions): Promise<ObjectOf<K> | undefined>;
  create(object: KubeObject, options?: CallOptions & { dryRun?: boolean }): Promise<KubeObject>;
  /** Server-side apply, fieldManager `kindproof`, force; with `strict` unknown and duplicate fields are errors. */
  apply(
    object: KubeObject,
    options?: CallOptions & { dryRun?: boolean; strict?: boolean; namespace?: string },
  ): Promise<KubeObject>;
  /** JSON Patch (array) or merge patch (object); `subresource` e.g. `status`, `scale`. */
  patch(
    kind: KindRef,
    ref: ObjectRef,
    patch: readonly object[] | Record<string, unknown>,
    options?: CallOptions & { subresource?: string },
  ): Promise<KubeObject>;
  /** Deleting what is not there is no error. */
  delete(
    kind: KindRef,
    ref: ObjectRef,
    options?: CallOptions & { gracePeriodSeconds?: number },
  ): Promise<void>;
  /** Asks for eviction; `refused` (429) carries the reason a PodDisruptionBudget gives. */
  evict(
    ref: ObjectRef,
    options?: CallOptions,
  ): Promise<{ evicted: true } | { evicted: false; reason: string }>;
  watch<K extends KindRef>(
    kind: K,
    options: ListOptions,
    onEvent: (event: WatchEvent<ObjectOf<K>>) => void,
  ): WatchHandle;
  exec(options: ExecOptions): Promise<ExecResult>;
  /** Like `exec`, but returns when the command runs, for a conversation with it. */
  openExec(options: ExecSessionOptions): Promise<ExecSession>;
  /** `undefined` where the kubelet has none of it any more: the container has been removed since, or the runtime does not answer. */
  logs(options: LogOptions): Promise<string | undefined>;
  http(request: HttpRequest): Promise<HttpAnswer>;
  /** All resource kinds the server knows that can be listed, for inventories. */
  resources(): Promise<
    { apiVersion: string; kind: string; plural: string; namespaced: boolean; verbs: string[] }[]
  >;
  /** Closes connections and open watches. */
  close(): Promise<void>;
}
