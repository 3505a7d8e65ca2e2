/**
 * The recording of a namespace: everything that the watch delivered from before the install to after the uninstall, in the order of
 * arrival. Checks about time query it, and the report draws it. `recorder.ts` fills it.
 */
import type { KindRef, ObjectOf } from '../../kube/api/client.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import type { PodMoment, RecordedChange } from './change.ts';
import { uidOf } from '../../kube/api/objects.ts';
import { podSteps } from './container-steps.ts';
import type { EndpointsMoment } from './endpoints.ts';
import { traceEndpoints } from './endpoints.ts';
import { momentsOf } from './moments.ts';
import { readRecordingFile } from './recording-file.ts';
import type { ContainerRestart, OomKill, UnreadySpan } from './restarts.ts';
import { findOomKills, findRestarts, findUnready } from './restarts.ts';
import type { WarningEvent } from './events.ts';
import { findWarningEvents } from './events.ts';

export class Recording {
  readonly #changes: RecordedChange[] = [];
  readonly #latest = new Map<string, KubeObject>();
  readonly #logs = new Map<string, string>();

  constructor(changes: Iterable<RecordedChange> = []) {
    for (const change of changes) this.add(change);
  }

  /**
   * Reads a recording back from disk.
   *
   * @throws UsageError `E_RECORDING` when the file cannot be read or is not a recording
   */
  static async fromFile(path: string): Promise<Recording> {
    return new Recording(await readRecordingFile(path));
  }

  /** Appends a change and numbers it. */
  add(change: Omit<RecordedChange, 'seq'>): RecordedChange {
    const recorded = { ...change, seq: this.#changes.length };
    this.#changes.push(recorded);
    this.#latest.set(uidOf(change.object), change.object);
    return recorded;
  }

  /** Keeps the end of the log of a failed container; a later one of the same container replaces it. Logs are not written to the file. */
  keepLog(pod: string, container: string, text: string): void {
    this.#logs.set(`${pod}/${container}`, text);
  }

  /** The end of the log of a container that failed, if it was read before its pod was deleted. */
  logOf(pod: string, container: string): string | undefined {
    return this.#logs.get(`${pod}/${container}`);
  }

  /** The part in one namespace. Logs are known by pod only, so it has all of them. */
  within(namespace: string): Recording {
    const own = this.#changes.filter(
      ({ object: { metadata } }) => (metadata.namespace ?? namespace) === namespace,
    );
    if (own.length === this.#changes.length) return this;
    const part = new Recording(own);
    for (const [id, text] of this.#logs) part.#logs.set(id, text);
    return part;
  }

  /** Every change in the order of arrival. */
  get changes(): readonly RecordedChange[] {
    return this.#changes;
  }

  /** The latest state of every object of a kind, deleted ones included. */
  objects<K extends KindRef>(kind: K): ObjectOf<K>[] {
    const name = typeof kind === 'string' ? kind : kind.kind;
    return [...this.#latest.values()].filter((o) => o.kind === name).map((o) => o as ObjectOf<K>);
  }

  /** The latest state of every pod, deleted ones included. */
  pods(): Pod[] {
    return this.objects('Pod');
  }

  /** Every recorded state of a pod; a name may stand for several pods, one after the other (StatefulSet). */
  podHistory(nameOrUid: string): (RecordedChange & { object: Pod })[] {
    return podSteps(this.#changes)
      .filter(({ pod }) => pod.metadata.name === nameOrUid || uidOf(pod) === nameOrUid)
      .map(({ change, pod }) => ({ ...change, object: pod }));
  }

  /** What happened to every pod, in the order of arrival. */
  moments(): PodMoment[] {
    return momentsOf(this.#changes);
  }

  /** Every increase of a restart counter; restarts of init containers are marked. */
  restarts(): ContainerRestart[] {
    return findRestarts(this.#changes);
  }

  /** Containers that ended as OOMKilled. The API does not show the kill of a child process in a container that keeps running. */
  oomKills(): OomKill[] {
    return findOomKills(this.#changes);
  }

  /**
   * Times between a pod's first readiness and its deletion in which it was not ready.
   *
   * @param pod name or uid
   */
  everUnready(pod: string): UnreadySpan[] {
    return findUnready(this.#changes, pod);
  }

  /** One entry for each change of the Service's set of ready endpoints. */
  endpointsOf(service: string): EndpointsMoment[] {
    return traceEndpoints(this.#changes, service);
  }

  /** Warning events, each once with its last count. */
  warningEvents(filter: { reason?: string; about?: string } = {}): WarningEvent[] {
    return findWarningEvents(this.#changes, filter);
  }
}
