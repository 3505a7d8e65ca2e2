/** What is wrong with a pod: the one thing that is most upstream. */
import type { Pod } from '../../kube/api/types.ts';
import { explainContainers } from './explain-container.ts';
import { explainNode } from './explain-node.ts';
import { explainScheduling } from './explain-scheduling.ts';
import { explainTerminating } from './explain-terminating.ts';
import { explainMount, explainSandbox } from './explain-volumes.ts';
import type { PodTrouble, World } from './world.ts';
import { RANK } from './world.ts';

/** @returns undefined for a pod that is ready, or that ended as it should */
export function explainPod(pod: Pod, world: World): PodTrouble | undefined {
  if (pod.status?.phase === 'Succeeded') return undefined;
  const leaving = explainTerminating(pod, world.now);
  if (pod.metadata.deletionTimestamp !== undefined) return leaving;
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
    return { says: 'is Pending: the scheduler has not looked at it yet', upstream: [], rank: RANK.progress };
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
  const state = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
    .flatMap((s) => (s.state?.waiting?.reason ? [`container ${s.name}: ${s.state.waiting.reason}`] : []))
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
