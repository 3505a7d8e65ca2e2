/** What diagnosis looks at: one reading of everything in a namespace, and of what it leans on outside. */
import type {
  ConfigMap,
  EndpointSlice,
  KubeEvent,
  KubeObject,
  Node,
  Pod,
  Service,
  Workload,
} from '../../kube/api/types.ts';
import type { Cause } from './diagnosis.ts';
import { timeOf } from '../../core/wording.ts';

/** A list is `undefined` when it could not be read: then nothing may be concluded from an absence. */
export interface World {
  namespace: string;
  /** When it was read, ms since the epoch. */
  now: number;
  pods: readonly Pod[];
  /** Deployments, StatefulSets, DaemonSets, ReplicaSets and Jobs; `kind` is set on each. */
  workloads: readonly Workload[];
  events: readonly KubeEvent[];
  services: readonly Service[];
  slices: readonly EndpointSlice[];
  nodes?: readonly Node[] | undefined;
  claims?: readonly KubeObject[] | undefined;
  volumes?: readonly KubeObject[] | undefined;
  storageClasses?: readonly KubeObject[] | undefined;
  configMaps?: readonly ConfigMap[] | undefined;
  secrets?: readonly ConfigMap[] | undefined;
  runtimeClasses?: readonly KubeObject[] | undefined;
  autoscalers?: readonly KubeObject[] | undefined;
  /** Log of a container, where it was fetched: the key is made by `logKey`. */
  logs?: ReadonlyMap<string, string> | undefined;
}

/** One reason for trouble: links from the thing asked about to the root, the most upstream cause last. */
export interface Explanation {
  causes: Cause[];
  /** What to do about the root. */
  hint?: string | undefined;
  /** How surely this is a root and not a consequence; the highest is told first. */
  rank: number;
}

/** What is wrong with one pod; equal ones are grouped. */
export interface PodTrouble {
  /** Completes the sentence "Pod x …". */
  says: string;
  upstream: Cause[];
  hint?: string | undefined;
  rank: number;
}

/** Ranks: what keeps a pod from existing comes before what keeps it from running, from staying, from being ready. */
export const RANK = {
  notCreated: 95,
  node: 92,
  unscheduled: 90,
  volume: 88,
  sandbox: 86,
  image: 84,
  config: 82,
  init: 78,
  memory: 76,
  crash: 72,
  probeKill: 70,
  readiness: 60,
  terminating: 45,
  service: 40,
  workload: 35,
  progress: 20,
} as const;

export function logKey(pod: string, container: string, previous: boolean): string {
  return `${pod}/${container}${previous ? '/previous' : ''}`;
}

/** The log of the instance of a container that failed: the previous one when there is one, else the present one. */
export function failedLog(world: World, pod: string, container: string): string | undefined {
  const previous = world.logs?.get(logKey(pod, container, true));
  return previous !== undefined && previous.trim() !== ''
    ? previous
    : world.logs?.get(logKey(pod, container, false));
}

/** When an event was last seen, ms since the epoch; 0 when it says nothing. */
export function eventTime(event: KubeEvent): number {
  return (
    timeOf(event.series?.lastObservedTime) ??
    timeOf(event.lastTimestamp) ??
    timeOf(event.eventTime) ??
    timeOf(event.firstTimestamp) ??
    timeOf(event.metadata.creationTimestamp) ??
    0
  );
}

/** How often an event was seen. */
export function eventCount(event: KubeEvent): number {
  return event.series?.count ?? event.count ?? 1;
}

/** Events about an object, oldest first; by uid where both know it, because a name may be used again. */
export function eventsOf(
  events: readonly KubeEvent[],
  object: { kind: string; metadata: { name: string; uid?: string } },
): KubeEvent[] {
  return events
    .filter(({ involvedObject: about }) => {
      if (about.kind !== object.kind || about.name !== object.metadata.name) return false;
      return (
        about.uid === undefined || object.metadata.uid === undefined || about.uid === object.metadata.uid
      );
    })
    .sort((a, b) => eventTime(a) - eventTime(b));
}

/** Lists come without a kind on each item from some servers; the API says it once for the whole list. */
export function withKind<T extends KubeObject>(objects: readonly T[], kind: string): T[] {
  return objects.map((object) => (object.kind ? object : { ...object, kind }));
}
