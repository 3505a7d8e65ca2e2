/**
 * The recording of a namespace: everything that the watch delivered from before the install to after the uninstall, in the order
 * of arrival. Checks about time read it, the report draws it. Pure data with queries; `recorder.ts` fills it.
 */
import type { KindRef, ObjectOf } from '../../kube/api/client.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import type { PodMoment, RecordedChange } from './change.ts';
import { podSteps, uidOf } from './container-steps.ts';
import type { EndpointsMoment } from './endpoints.ts';
import { findFirstReady, traceEndpoints } from './endpoints.ts';
import { tellMoments } from './moments.ts';
import type { OrderResult } from './order.ts';
import { endedBeforeStarted, initEndedBeforeMain } from './order.ts';
import { readRecordingFile } from './recording-file.ts';
import type { ContainerRestart, OomKill, UnreadySpan } from './restarts.ts';
import { findOomKills, findRestarts, findUnready } from './restarts.ts';
import type { WarningEvent } from './warning-events.ts';
import { findWarningEvents } from './warning-events.ts';

/** Latest known state of one object. */
interface Latest {
  object: KubeObject;
  deleted: boolean;
}

/** Everything that was recorded, with the questions that checks ask of it. Pods are named by name or by uid. */
export class Recording {
  readonly #changes: RecordedChange[] = [];
  readonly #latest = new Map<string, Latest>();

  constructor(changes: Iterable<RecordedChange> = []) {
    for (const change of changes) this.add(change);
  }

  /**
   * Re-reads a recording, so that checks can be evaluated again without a cluster.
   *
   * @throws UsageError `E_RECORDING` when the file cannot be read or is no recording
   */
  static async fromFile(path: string): Promise<Recording> {
    return new Recording(await readRecordingFile(path));
  }

  /** Appends a change; its position is given here. */
  add(change: Omit<RecordedChange, 'seq'>): RecordedChange {
    const recorded = { ...change, seq: this.#changes.length };
    this.#changes.push(recorded);
    this.#latest.set(keyOf(change.object), { object: change.object, deleted: change.type === 'DELETED' });
    return recorded;
  }

  /** Every change in the order of arrival. */
  get changes(): readonly RecordedChange[] {
    return this.#changes;
  }

  /** The latest state of every object of a kind, also of those that were deleted since. */
  objects<K extends KindRef>(kind: K): ObjectOf<K>[] {
    const name = typeof kind === 'string' ? kind : kind.kind;
    return [...this.#latest.values()]
      .filter((l) => l.object.kind === name)
      .map((l) => l.object as ObjectOf<K>);
  }

  /** Whether the recording saw the object go. */
  isDeleted(object: KubeObject): boolean {
    return this.#latest.get(keyOf(object))?.deleted ?? false;
  }

  /** The latest state of every pod, also of those that were deleted since. */
  pods(): Pod[] {
    return this.objects('Pod');
  }

  /** Every recorded state of a pod; by name this may be several pods, one after the other (StatefulSet). */
  podHistory(nameOrUid: string): (RecordedChange & { object: Pod })[] {
    return podSteps(this.#changes)
      .filter(({ pod }) => pod.metadata.name === nameOrUid || uidOf(pod) === nameOrUid)
      .map(({ change, pod }) => ({ ...change, object: pod }));
  }

  /** The story of every pod, in the order of arrival. */
  moments(): PodMoment[] {
    return tellMoments(this.#changes);
  }

  /** Every increase of a restart counter, also one that only the counter shows; init containers are marked. */
  restarts(): ContainerRestart[] {
    return findRestarts(this.#changes);
  }

  /** Containers that ended as OOMKilled; a killed child of a container that goes on is not visible in the API. */
  oomKills(): OomKill[] {
    return findOomKills(this.#changes);
  }

  /** Times in which a pod was not ready; empty means never. By default only after its first readiness and before its deletion. */
  everUnready(pod: string, options: { afterReady?: boolean; whileDeleting?: boolean } = {}): UnreadySpan[] {
    return findUnready(this.#changes, pod, options);
  }

  /** Who was behind a Service: one entry for each change of the set of ready pods. */
  endpointsOf(service: string): EndpointsMoment[] {
    return traceEndpoints(this.#changes, service);
  }

  /** When a pod first got traffic from any Service; `undefined` if it never did. */
  firstReadyInEndpoints(pod: string): { seq: number; at: number; service: string } | undefined {
    return findFirstReady(this.#changes, pod);
  }

  /** Whether every init container of a pod ended with 0 before its main containers started. */
  initEndedBeforeMainStarted(pod: string): OrderResult {
    return initEndedBeforeMain(this.#changes, pod);
  }

  /** Whether one pod (a migration Job's) ended with 0 before the containers of another started. */
  podEndedBeforePodStarted(first: string, second: string): OrderResult {
    return endedBeforeStarted(this.#changes, first, second);
  }

  /** Warning events, each once with its last count. */
  warningEvents(filter: { reason?: string; about?: string } = {}): WarningEvent[] {
    return findWarningEvents(this.#changes, filter);
  }
}

function keyOf(object: KubeObject): string {
  return object.metadata.uid ?? `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
