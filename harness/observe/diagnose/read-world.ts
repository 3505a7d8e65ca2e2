/** Reads the input of diagnosis. Leaves out what it cannot read: a diagnosis must not fail for missing permissions. */
import type { KubeClient, KindRef, ObjectOf } from '../../kube/api/client.ts';
import type { Pod, Workload } from '../../kube/api/types.ts';
import { containerStatuses, logKey, withKind, type World } from './world.ts';

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'] as const;
const LOG_LINES = 40;
/** Long enough for a busy node: without the log a diagnosis has no root. */
const LOG_MS = 20_000;
/** More logs cost time and add nothing new. */
const MAX_LOGS = 12;

/** @param now ms since the epoch */
export async function readWorld(kube: KubeClient, namespace: string, now = Date.now()): Promise<World> {
  const list = async <K extends KindRef>(kind: K, scoped = true): Promise<ObjectOf<K>[] | undefined> => {
    try {
      return await kube.list(kind, { ...(scoped ? { namespace } : {}), timeoutMs: 10_000 });
    } catch {
      return undefined;
    }
  };
  const [
    pods,
    events,
    services,
    slices,
    nodes,
    claims,
    volumes,
    classes,
    configMaps,
    secrets,
    runtimes,
    scalers,
    ...workloads
  ] = await Promise.all([
    list('Pod'),
    list('Event'),
    list('Service'),
    list('EndpointSlice'),
    list('Node', false),
    list('PersistentVolumeClaim'),
    list('PersistentVolume', false),
    list('StorageClass', false),
    list('ConfigMap'),
    list('Secret'),
    list('RuntimeClass', false),
    list({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' }),
    ...WORKLOADS.map((kind) => list(kind)),
  ]);
  return {
    namespace,
    now,
    pods: pods ?? [],
    workloads: WORKLOADS.flatMap((kind, i): Workload[] => withKind(workloads[i] ?? [], kind)),
    events: events ?? [],
    services: services ?? [],
    slices: slices ?? [],
    nodes,
    claims,
    volumes,
    storageClasses: classes,
    configMaps,
    secrets,
    runtimeClasses: runtimes,
    autoscalers: scalers,
    logs: await readLogs(kube, namespace, pods ?? []),
  };
}

/** Logs of the failed instances of containers that failed, restarted or are not ready. */
async function readLogs(
  kube: KubeClient,
  namespace: string,
  pods: readonly Pod[],
): Promise<Map<string, string>> {
  const wanted = pods.flatMap(logsWanted).slice(0, MAX_LOGS);
  const logs = new Map<string, string>();
  await Promise.all(
    wanted.map(async ({ pod, container, previous }) => {
      try {
        const text = await kube.logs({
          namespace,
          pod,
          container,
          previous,
          tailLines: LOG_LINES,
          limitBytes: 64_000,
          timeoutMs: LOG_MS,
        });
        if (text !== undefined) logs.set(logKey(pod, container, previous), text);
      } catch {
        // The instance may be gone; the rest of the diagnosis does not need its log.
      }
    }),
  );
  return logs;
}

function logsWanted(pod: Pod): { pod: string; container: string; previous: boolean }[] {
  return containerStatuses(pod).flatMap((status) => {
    const ended = status.state?.terminated ?? status.lastState?.terminated;
    const wanted =
      (ended !== undefined && ended.exitCode !== 0) ||
      (status.state?.running !== undefined && !status.ready) ||
      status.restartCount > 0;
    if (!wanted) return [];
    const one = { pod: pod.metadata.name, container: status.name };
    // While a new instance runs or waits to start, the log of the failed one is the previous log.
    const previous = status.restartCount > 0 && status.state?.terminated === undefined;
    return previous
      ? [
          { ...one, previous: true },
          { ...one, previous: false },
        ]
      : [{ ...one, previous: false }];
  });
}
