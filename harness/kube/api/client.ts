/**
 * The interface through which all other code talks to the API server. http-client.ts implements it. Only this folder imports
 * @kubernetes/client-node.
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

/** Kinds with a type. Any other kind is addressed by apiVersion and kind, and read as KubeObject. */
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
/** The name of a known kind, or `{apiVersion, kind}`. */
export type KindRef = KnownKind | { apiVersion: string; kind: string };
export type ObjectOf<K extends KindRef> = K extends KnownKind ? KnownKinds[K] : KubeObject;

export interface ListOptions {
  namespace?: string | undefined;
  /** kubectl's syntax: `a=b,c in (d,e)`. */
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
  /** `SYNC` marks the end of the initial list; later events are live. */
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'SYNC';
  object?: T;
  /** When this process received the event, ms since the epoch. API times have a resolution of one second only. */
  receivedAt: number;
}

export interface WatchHandle {
  /** Resolves after the initial list. */
  synced: Promise<void>;
  /** The rejection (4xx) that currently keeps the watch from going on. */
  problem?(): Error | undefined;
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
  /** Whether the command has a standard input. */
  stdin: boolean;
  /** Called with every chunk of output. */
  onOutput?: ((stream: 'stdout' | 'stderr', data: Buffer) => void) | undefined;
}

/** A connection to a running command, like `kubectl exec -i`. `timeoutMs` limits the whole session. */
export interface ExecSession {
  write(input: string): void;
  /** Whether the protocol can signal the end of the input (Kubernetes 1.30 and later). */
  readonly canEndInput: boolean;
  /** Sends end of file to the command; its output still arrives. */
  endInput(): void;
  /** Closes the connection like a killed client; `ended` then rejects with `E_EXEC_DROPPED`. */
  drop(): void;
  /** All output so far. */
  output(): { stdout: string; stderr: string };
  readonly ended: Promise<ExecResult>;
}

export interface HttpRequest extends CallOptions {
  namespace: string;
  /** A Service (the API server's proxy selects one ready endpoint) or one pod. */
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
  /** Reads the log of the previous instance of the container. */
  previous?: boolean;
  tailLines?: number;
  limitBytes?: number;
}

export interface KubeClient {
  /** gitVersion of the API server, e.g. `v1.36.3`. */
  version(): Promise<string>;
  /** With `metadataOnly`, the objects have no more than apiVersion, kind and metadata: large lists become small. */
  list<K extends KindRef>(
    kind: K,
    options?: ListOptions & CallOptions & { metadataOnly?: boolean },
  ): Promise<ObjectOf<K>[]>;
  /** `undefined` when the object does not exist. */
  get<K extends KindRef>(kind: K, ref: ObjectRef, options?: CallOptions): Promise<ObjectOf<K> | undefined>;
  /** With `strict`, unknown and duplicate fields are errors. */
  create(
    object: KubeObject,
    options?: CallOptions & { dryRun?: boolean; strict?: boolean },
  ): Promise<KubeObject>;
  /** Server-side apply with fieldManager `kindproof` and force. With `strict`, unknown and duplicate fields are errors. */
  apply(
    object: KubeObject,
    options?: CallOptions & { dryRun?: boolean; strict?: boolean; namespace?: string },
  ): Promise<KubeObject>;
  /** JSON Patch (array) or merge patch (object). `subresource`: `status`, `scale`. */
  patch(
    kind: KindRef,
    ref: ObjectRef,
    patch: readonly object[] | Record<string, unknown>,
    options?: CallOptions & { subresource?: string },
  ): Promise<KubeObject>;
  /** A missing object is not an error. */
  delete(
    kind: KindRef,
    ref: ObjectRef,
    options?: CallOptions & { gracePeriodSeconds?: number },
  ): Promise<void>;
  /** Evicts a pod. A refusal (429) has the reason of the PodDisruptionBudget. */
  evict(
    ref: ObjectRef,
    options?: CallOptions,
  ): Promise<{ evicted: true } | { evicted: false; reason: string }>;
  watch<K extends KindRef>(
    kind: K,
    options: ListOptions,
    onEvent: (event: WatchEvent<ObjectOf<K>>) => void,
  ): WatchHandle;
  /**
   * Like `watch` of one namespace, for many namespaces: all followers of a kind share one watch of the cluster. Where that is not allowed,
   * or the cluster has many objects of the kind, each namespace gets its own watch, and the log says why.
   */
  follow<K extends KindRef>(
    kind: K,
    namespace: string,
    onEvent: (event: WatchEvent<ObjectOf<K>>) => void,
  ): WatchHandle;
  exec(options: ExecOptions): Promise<ExecResult>;
  /** Like `exec`, but returns when the command has started, for interaction with it. */
  openExec(options: ExecSessionOptions): Promise<ExecSession>;
  /** `undefined` when the kubelet no longer has the log: the container was removed, or the runtime does not answer. */
  logs(options: LogOptions): Promise<string | undefined>;
  http(request: HttpRequest): Promise<HttpAnswer>;
  /** Whether objects of the kind lie in namespaces. @throws ApiError 404 for a kind that the server does not have */
  isNamespaced(kind: KindRef, options?: CallOptions): Promise<boolean>;
  /** All listable resource kinds of the server. */
  resources(): Promise<
    { apiVersion: string; kind: string; plural: string; namespaced: boolean; verbs: string[] }[]
  >;
  /** A client for teardown: its calls work after the signal of this client has aborted. It is closed with this client. */
  readonly teardown: KubeClient;
  /** Closes connections and open watches. */
  close(): Promise<void>;
}
