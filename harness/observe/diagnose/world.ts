/** The input of diagnosis: one reading of a namespace and of the cluster-wide objects that it depends on. */
import type {
  ConfigMap,
  ContainerStatus,
  EndpointSlice,
  KubeEvent,
  KubeObject,
  Node,
  Pod,
  Service,
  Workload,
} from '../../kube/api/types.ts';
import type { Cause } from './diagnosis.ts';
import { timeOf } from '../../kube/api/objects.ts';

/** A list is `undefined` when it could not be read: then nothing follows from the absence of an object. */
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
  /** Fetched container logs by `logKey`. */
  logs?: ReadonlyMap<string, string> | undefined;
  /** Uids of the objects that no longer exist; the recording had their last state. */
  gone?: ReadonlySet<string> | undefined;
}

/** One chain of causes: links from the examined object to the root, which is last. */
export interface Explanation {
  causes: Cause[];
  /** How to fix the root. */
  hint?: string | undefined;
  /** How likely this is a root and not a consequence; the highest rank comes first. */
  rank: number;
}

/** What is wrong with one pod. */
export interface PodTrouble {
  /** Completes the sentence "Pod x …". */
  says: string;
  upstream: Cause[];
  hint?: string | undefined;
  rank: number;
}

/** Causes that prevent a pod from existing rank above causes that prevent it from running, from staying up, and from being ready. */
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
  /** Below what keeps a pod from being ready: an init container usually waits for another pod. */
  initRunning: 58,
  terminating: 45,
  service: 40,
  hook: 38,
  workload: 35,
  progress: 20,
  recovered: 15,
  warning: 12,
  /** True of releases that work, too: of interest only when nothing else explains the failure. */
  circumstance: 10,
} as const;

export function logKey(pod: string, container: string, previous: boolean): string {
  return `${pod}/${container}${previous ? '/previous' : ''}`;
}

/** The log of the failed container instance: of the previous instance if it has a log, else of the current one. */
export function failedLog(world: World, pod: string, container: string): string | undefined {
  const previous = world.logs?.get(logKey(pod, container, true));
  return previous !== undefined && previous.trim() !== ''
    ? previous
    : world.logs?.get(logKey(pod, container, false));
}

/** When an event last happened, ms since the epoch; 0 when unknown. */
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

/** `pre-install, pre-upgrade` for a hook of helm; undefined for any other object. */
export function hookOf({ metadata }: KubeObject): string | undefined {
  const events = metadata.annotations?.['helm.sh/hook'];
  return events
    ?.split(',')
    .map((event) => event.trim())
    .join(', ');
}

/** A sidecar is an init container that runs as long as the pod (`restartPolicy: Always`). */
export type ContainerRole = 'container' | 'init container' | 'sidecar';

export function roleOf({ spec, status }: Pod, container: string): ContainerRole {
  const named = ({ name }: { name: string }): boolean => name === container;
  const init = spec.initContainers?.find(named);
  if (init?.restartPolicy === 'Always') return 'sidecar';
  return init || status?.initContainerStatuses?.some(named) ? 'init container' : 'container';
}

/** Statuses of all containers, init containers first. */
export function containerStatuses({ status }: Pod): ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** Events about an object, oldest first; matched by uid where both have one, because names are reused. */
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

/** Sets the kind, which some API servers omit on list items. */
export function withKind<T extends KubeObject>(objects: readonly T[], kind: string): T[] {
  return objects.map((object) => (object.kind ? object : { ...object, kind }));
}
