/** Waits for the rollout of a workload. */
import type { Observation } from '../../core/deadline.ts';
import { systemClock, waitFor } from '../../core/deadline.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { KubeEvent, Pod, Workload } from '../../kube/api/types.ts';
import type { WorkloadRef } from '../../kube/api/workload-pods.ts';
import { isOwnedBy, ownPods, revisionOf } from '../../kube/api/workload-pods.ts';
import { hopeless } from '../diagnose/hopeless.ts';
import { isUnobserved, rolloutGap } from '../predicates/live/rollout-gap.ts';
import type { WaitLimits } from './limits.ts';

interface RolloutWait extends Omit<WaitLimits, 'what'> {
  timeoutMs: number;
  /** Set to `false` to wait until the timeout even when waiting cannot help; default true. */
  giveUpEarly?: boolean;
}

/** How often it is examined whether waiting still helps. The status alone tells the progress, and is read more often. */
const EXAMINE_MS = 2000;

/**
 * Waits until the controller has observed the latest spec, every replica has the latest revision and is available, and no older pod exists.
 *
 * @throws WaitTimeout with the progress ("2 of 3 replicas available"), early when waiting cannot help
 */
export async function rolledOut(
  kube: KubeClient,
  { kind, name, namespace }: WorkloadRef,
  { giveUpEarly = true, clock = systemClock, signal, timeoutMs }: RolloutWait,
): Promise<Workload> {
  let examinedAt = -Infinity;
  return waitFor({
    what: `the rollout of ${kind} ${name}`,
    timeoutMs,
    intervalMs: 500,
    signal,
    clock,
    look: async (now): Promise<Observation<Workload>> => {
      const found = await kube.get(kind, { name, namespace }, { signal });
      if (!found) return { done: false, seen: `${kind} ${name} does not exist` };
      const workload: Workload = { ...found, kind };
      // Before the controller has observed the spec, the newest pods are of the previous revision, which may be broken.
      const mayExamine = giveUpEarly && !isUnobserved(workload) && now - examinedAt >= EXAMINE_MS;
      const gap = rolloutGap(workload, []);
      if (gap !== undefined && !mayExamine) return { done: false, seen: gap };
      const [pods, replicaSets] = await Promise.all([
        kube.list('Pod', { namespace, signal }),
        kind === 'Deployment' ? kube.list('ReplicaSet', { namespace, signal }) : [],
      ]);
      const own = ownPods(workload, pods, replicaSets);
      const missing = rolloutGap(workload, own);
      if (missing === undefined) return { done: true, value: workload };
      if (!mayExamine) return { done: false, seen: missing };
      examinedAt = now;
      const events = await kube.list('Event', { namespace, signal });
      const reason = hopeless(
        currentPods(workload, own, replicaSets),
        eventsAbout(events, workload, replicaSets, own),
        now,
      );
      return reason === undefined
        ? { done: false, seen: missing }
        : { done: false, seen: missing, hopeless: reason };
    },
  });
}

/** Pods of the newest ReplicaSet, and terminating ones: broken pods of an older one are about to be deleted. */
function currentPods(workload: Workload, pods: readonly Pod[], replicaSets: readonly Workload[]): Pod[] {
  if (workload.kind !== 'Deployment') return [...pods];
  const newest = newestOf(workload, replicaSets);
  if (!newest) return [...pods];
  return pods.filter((p) => p.metadata.deletionTimestamp !== undefined || isOwnedBy(p, newest));
}

function newestOf(workload: Workload, replicaSets: readonly Workload[]): Workload | undefined {
  return replicaSets.filter((rs) => isOwnedBy(rs, workload)).sort((a, b) => revisionOf(b) - revisionOf(a))[0];
}

/** Without those of older ReplicaSets: a new revision may be what ends their refusals. */
export function eventsAbout(
  events: readonly KubeEvent[],
  workload: Workload,
  replicaSets: readonly Workload[],
  pods: readonly Pod[],
): KubeEvent[] {
  const newest = newestOf(workload, replicaSets);
  const claims = pods.flatMap((p) =>
    (p.spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? []),
  );
  const names = new Set([
    ...[workload, ...(newest ? [newest] : []), ...pods].map((o) => o.metadata.name),
    ...claims,
  ]);
  return events.filter((e) => names.has(e.involvedObject.name));
}
