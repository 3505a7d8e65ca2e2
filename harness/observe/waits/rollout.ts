/** Waiting for a workload to be what its spec asks for. */
import type { Clock, Observation } from '../../core/deadline.ts';
import { waitFor } from '../../core/deadline.ts';
import { hopeless } from '../diagnose/hopeless.ts';
import { isUnseen, rolloutGap } from '../predicates/live/rollout-gap.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Pod, Workload } from '../../kube/api/types.ts';
import type { WorkloadRef } from '../../kube/api/workload-pods.ts';
import { ownPods } from '../../kube/api/workload-pods.ts';

export interface RolloutOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  clock?: Clock;
  /** Pause between two looks; default 500 ms. */
  intervalMs?: number;
  /** `false` waits to the end even where waiting cannot help; default true. */
  giveUpEarly?: boolean;
}

/**
 * Waits until the controller has seen the latest spec, every replica is of it and available, and no older pod is left.
 *
 * @throws WaitTimeout whose last state says how far it came ("2 of 3 replicas available"), early when waiting cannot help
 */
export async function waitForRollout(
  kube: KubeClient,
  ref: WorkloadRef,
  options: RolloutOptions,
): Promise<Workload> {
  const { kind, name, namespace } = ref;
  return waitFor({
    what: `the rollout of ${kind} ${name}`,
    timeoutMs: options.timeoutMs,
    intervalMs: options.intervalMs ?? 500,
    signal: options.signal,
    ...(options.clock ? { clock: options.clock } : {}),
    look: async (): Promise<Observation<Workload>> => {
      const found = await kube.get(kind, { name, namespace }, { signal: options.signal });
      if (!found) return { done: false, seen: `${kind} ${name} does not exist` };
      // Single objects come with their kind; make sure of it, because everything below depends on it.
      const workload: Workload = { ...found, kind };
      const [pods, replicaSets] = await Promise.all([
        kube.list('Pod', { namespace, signal: options.signal }),
        kind === 'Deployment' ? kube.list('ReplicaSet', { namespace, signal: options.signal }) : [],
      ]);
      const own = ownPods(workload, pods, replicaSets);
      const missing = rolloutGap(workload, own);
      if (missing === undefined) return { done: true, value: workload };
      // Until the controller has seen the spec, the newest pods are still those of the revision before, which may be broken.
      if (options.giveUpEarly === false || isUnseen(workload)) return { done: false, seen: missing };
      const events = await kube.list('Event', { namespace, signal: options.signal });
      const reason = hopeless(
        currentPods(workload, own, replicaSets),
        eventsAbout(events, workload, replicaSets, own),
        clockNow(options),
      );
      return reason === undefined
        ? { done: false, seen: missing }
        : { done: false, seen: missing, hopeless: reason };
    },
  });
}

/** Pods of the newest ReplicaSet: an older one's broken pods are about to go. */
function currentPods(workload: Workload, pods: readonly Pod[], replicaSets: readonly Workload[]): Pod[] {
  if (workload.kind !== 'Deployment') return [...pods];
  const revision = (rs: Workload): number =>
    Number(rs.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  const newest = replicaSets
    .filter((rs) => rs.metadata.ownerReferences?.some((o) => o.uid === workload.metadata.uid))
    .sort((a, b) => revision(b) - revision(a))[0];
  if (!newest) return [...pods];
  return pods.filter(
    (p) =>
      p.metadata.deletionTimestamp !== undefined ||
      p.metadata.ownerReferences?.some((o) => o.uid === newest.metadata.uid),
  );
}

function eventsAbout<E extends { involvedObject: { name: string } }>(
  events: readonly E[],
  workload: Workload,
  replicaSets: readonly Workload[],
  pods: readonly Pod[],
): E[] {
  const owned = replicaSets.filter((rs) =>
    rs.metadata.ownerReferences?.some((o) => o.uid === workload.metadata.uid),
  );
  const claims = pods.flatMap((p) =>
    (p.spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? []),
  );
  const names = new Set([...[workload, ...owned, ...pods].map((o) => o.metadata.name), ...claims]);
  return events.filter((e) => names.has(e.involvedObject.name));
}

function clockNow(options: RolloutOptions): number {
  return options.clock?.now() ?? Date.now();
}
