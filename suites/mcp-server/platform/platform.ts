/**
 * The life of a server, as a platform offers it. The checks know only this interface: one implementation drives the chart with helm;
 * another one may call the commands of any platform.
 */
import type { Release } from '../../../harness/run/suite/release.ts';
import type { RegistryEntry } from './registry-entry.ts';

/** `stopped`: it is meant to have no pod. */
export type ServerPhase = 'running' | 'pending' | 'stopped';

export interface ServerState {
  name: string;
  namespace: string;
  phase: ServerPhase;
  /** How many pods it is meant to have, and how many are ready. */
  wanted: number;
  ready: number;
  /** Increases with each change, rollbacks included. */
  revision: number;
}

export interface ServerChange {
  /** The reference of another image. */
  image?: { repository: string; tag: string };
  /** Environment variables of the configuration; they replace those of an earlier change. */
  config?: Readonly<Record<string, string>>;
}

export interface Platform {
  /**
   * Deploys a server and returns when all its pods are ready.
   *
   * @throws CheckFailure with the reason when they do not become ready
   */
  deploy(name: string, entry: RegistryEntry): Promise<ServerState>;
  /** All servers of a namespace, stopped ones included. */
  list(namespace: string): Promise<ServerState[]>;
  /** `undefined` when there is no such server. */
  status(name: string): Promise<ServerState | undefined>;
  /** Returns when all pods are ready, and none is left that is too many. */
  scale(name: string, replicas: number): Promise<ServerState>;
  /** With `wait: false` it returns at once, whether the new pods become ready or not. */
  update(name: string, change: ServerChange, options?: { wait?: boolean }): Promise<void>;
  /** Back to a revision, by default the one before; returns when the pods are ready. */
  rollback(name: string, revision?: number): Promise<ServerState>;
  /** Keeps the server without pods. */
  stop(name: string): Promise<void>;
  /** Removes what belongs to the server. @throws Error when there is no such server */
  delete(name: string): Promise<void>;
  /** Deletes the stopped servers of a namespace, and returns their names. */
  cleanup(namespace: string): Promise<string[]>;
  /** What the checks read of a deployed server: its objects and pods. */
  release(name: string): Release;
}
