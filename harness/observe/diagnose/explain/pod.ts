/** Finds the most upstream trouble of a pod. */
import type { Pod } from '../../../kube/api/types.ts';
import { explainContainers } from './container.ts';
import { evictionOf } from './eviction.ts';
import { explainNode } from './node.ts';
import { explainScheduling } from './scheduling.ts';
import { explainTerminating } from './terminating.ts';
import { explainMount, explainSandbox } from './volumes.ts';
import type { PodTrouble, World } from '../world.ts';
import { containerStatuses, RANK, roleOf } from '../world.ts';

/** @returns undefined for a pod that is ready or has succeeded, and was not evicted */
export function explainPod(pod: Pod, world: World): PodTrouble | undefined {
  // An evicted pod that ends in time has succeeded by its phase.
  if (pod.status?.phase === 'Succeeded' && evictionOf(pod, world.events) === undefined) return undefined;
  if (pod.metadata.deletionTimestamp !== undefined) return explainTerminating(pod, world.now);
  const first =
    explainNode(pod, world) ??
    explainScheduling(pod, world) ??
    explainMount(pod, world) ??
    explainSandbox(pod, world) ??
    worst(explainContainers(pod, world));
  if (first) return first;
  const ready = pod.status?.conditions?.find((c) => c.type === 'Ready');
  if (ready?.status === 'True') return undefined;
  if (!pod.spec.nodeName) {
    return { says: 'is Pending: the scheduler has not processed it yet', upstream: [], rank: RANK.progress };
  }
  const gate = pod.status?.conditions?.find(
    (c) => c.type === 'Ready' && c.reason === 'ReadinessGatesNotReady',
  );
  if (gate)
    return {
      says: `is not ready: a readiness gate is not met: ${gate.message ?? ''}`,
      upstream: [],
      rank: RANK.readiness,
    };
  const state = containerStatuses(pod)
    .flatMap((s) =>
      s.state?.waiting?.reason ? [`${roleOf(pod, s.name)} ${s.name}: ${s.state.waiting.reason}`] : [],
    )
    .join(', ');
  return {
    says: `is still starting on node ${pod.spec.nodeName}${state === '' ? '' : ` (${state})`}`,
    upstream: [],
    rank: RANK.progress,
  };
}

function worst(troubles: readonly PodTrouble[]): PodTrouble | undefined {
  return troubles.reduce<PodTrouble | undefined>(
    (a, b) => (a === undefined || b.rank > a.rank ? b : a),
    undefined,
  );
}
