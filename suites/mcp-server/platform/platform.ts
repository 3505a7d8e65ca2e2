/**
 * The life of a server, as a platform offers it. The checks know only this interface. One implementation drives the chart with helm, the
 * other one calls the commands of any platform.
 */
import type { Release } from '../../../harness/run/suite/release.ts';
import type { RegistryEntry } from './registry-entry.ts';

/** `stopped`: it is meant to have no pod. `failed`: the platform has given up. */
export type ServerPhase = 'running' | 'pending' | 'stopped' | 'failed';

export interface ServerState {
  name: string;
  namespace: string;
  phase: ServerPhase;
  /** How many pods it is meant to have, and how many are ready. */
  wanted: number;
  ready: number;
  /** How many have been ready for as long as the workload asks for; `undefined` when the platform does not say. */
  available?: number;
  /** Increases with each change, rollbacks included. 0 when the platform has none. */
  revision: number;
}

export interface ServerChange {
  /** The reference of another image. */
  image?: { repository: string; tag: string };
  /** Environment variables of the configuration; they replace those of an earlier change. */
  config?: Readonly<Record<string, string>>;
  resources?: RegistryEntry['resources'];
}

export interface DeployOptions {
  /** In place of the image of the subject. */
  image?: { repository: string; tag: string };
  /** How long the pods may take to become ready, as far as the platform can be told. Default 120. */
  timeoutSeconds?: number;
  /** With a volume that outlives the pods. */
  volume?: boolean;
}

/** How a platform reaches a cluster, where it is not that of the run. */
export interface Access {
  kubeconfig: string;
  context: string;
  /** Added to the environment of its commands. */
  env?: Readonly<Record<string, string>>;
  /** A command that takes longer has failed. */
  limitSeconds?: number;
}

/** A rule of a Role. */
export interface Right {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[] | undefined;
}

/** A method whose operation the platform does not offer throws DoesNotFit. */
export interface Platform {
  /** `helm`, or the name in its description. */
  readonly title: string;
  /**
   * The rules of a Role with which an account manages the servers of one namespace.
   *
   * @throws DoesNotFit when the platform does not name them
   */
  rights(): readonly Right[];
  /**
   * Deploys a server, or changes it if it exists, and returns when all its pods are ready.
   *
   * @throws CheckFailure with the reason when they do not become ready
   */
  deploy(name: string, entry: RegistryEntry, options?: DeployOptions): Promise<ServerState>;
  /** Names and states of all servers of a namespace, stopped ones included. */
  list(namespace: string): Promise<ServerState[]>;
  /** `undefined` when there is no such server. */
  status(name: string): Promise<ServerState | undefined>;
  /** What all pods of the server use together: cores, and bytes of memory. */
  usage(name: string): Promise<{ cpu: number; memory: number }>;
  /** What the server has written, of all its pods. */
  logs(name: string): Promise<string>;
  /** Returns when all pods are ready, and none is left that is too many. */
  scale(name: string, replicas: number): Promise<ServerState>;
  /** With `wait: false` it returns at once, whether the new pods become ready or not. */
  update(name: string, change: ServerChange, options?: { wait?: boolean }): Promise<void>;
  /** Back to a revision, by default the one before; returns when the pods are ready. */
  rollback(name: string, revision?: number): Promise<ServerState>;
  /** Keeps the server without pods. */
  stop(name: string): Promise<void>;
  /**
   * Removes what belongs to the server; its volumes and its namespace only on request.
   *
   * @throws CheckFailure when there is no such server
   */
  delete(name: string, options?: { namespace?: boolean; volumes?: boolean }): Promise<void>;
  /** Deletes the stopped servers of a namespace, and returns their names. */
  cleanup(namespace: string): Promise<string[]>;
  /** What the checks read of a deployed server: its objects and pods. */
  release(name: string): Release;
  /** The same platform with other access to a cluster, and without the servers that it knows. */
  as(access: Access): Platform;
}
