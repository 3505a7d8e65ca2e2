/** Derives chains of causes from one reading of a namespace. Pure; read-world.ts does the reading. */
import { uidOf } from '../../kube/api/objects.ts';
import { isOwnedBy, ownPods, revisionOf } from '../../kube/api/workload-pods.ts';
import { matchesLabels } from '../../kube/api/selectors.ts';
import type { Pod, Workload } from '../../kube/api/types.ts';
import type { Cause } from './diagnosis.ts';
import { explainTie } from './explain/claim.ts';
import { explainService, explainSharedService } from './explain/service.ts';
import { explainGoneEvictions } from './explain/eviction.ts';
import { explainHooks } from './explain/lifecycle.ts';
import { explainRecovered } from './explain/recovered.ts';
import { explainWarnings } from './explain/warnings.ts';
import { explainAutoscaler, explainRefusal, workloadState } from './explain/workload.ts';
import { isDeletedWhenItFails } from './gone.ts';
import { groupPods } from './explain/pod-groups.ts';
import { HINT } from './explain/hints.ts';
import { explainNoNodes } from './wanted-nodes.ts';
import type { Explanation, World } from './world.ts';
import { hookOf, RANK } from './world.ts';

export interface Focus {
  kind: string;
  name: string;
}

/** All chains of causes, the most upstream first; with a focus, only those of the named objects and their pods. */
export function explain(world: World, focus: readonly Focus[] = []): Explanation[] {
  const view = focus.length === 0 ? world : narrowed(world, focus);
  const tops = view.workloads.filter((w) => w.kind !== 'ReplicaSet' || !w.metadata.ownerReferences?.length);
  const owned = new Set<Pod>();
  const found: Explanation[] = [];
  for (const workload of tops) {
    const pods = podsUnder(workload, view);
    for (const pod of pods) owned.add(pod);
    found.push(...explainWorkload(workload, pods, view));
    const tie = explainTie(workload, pods, world);
    if (tie) found.push(tie);
  }
  const others = view.pods.filter((p) => !owned.has(p));
  found.push(...groupPods(others, view));
  // Nothing else ties a pod that is gone to an object of the focus.
  if (focus.length === 0) found.push(...explainGoneEvictions(view), ...explainHooks(view));
  found.push(...explainRecovered(view));
  if (focus.length === 0) found.push(...explainWarnings(view));
  found.push(...view.services.flatMap((service) => explainService(service, world) ?? []));
  found.push(...view.services.flatMap((service) => explainSharedService(service, world) ?? []));
  found.push(...(view.autoscalers ?? []).flatMap((autoscaler) => explainAutoscaler(autoscaler) ?? []));
  return found.sort((a, b) => b.rank - a.rank);
}

/** One chain for each kind of trouble of the workload's pods, headed by the workload's state. */
function explainWorkload(workload: Workload, pods: readonly Pod[], world: World): Explanation[] {
  const says = workload.kind === 'Job' ? jobStory(workload, world) : workloadState(workload);
  const head: Cause[] =
    says === undefined ? [] : [{ object: `${workload.kind} ${workload.metadata.name}`, says }];
  const owners = [...replicaSetsOf(workload, world).sort((a, b) => revisionOf(b) - revisionOf(a)), workload];
  const refusals = owners.flatMap((owner) => explainRefusal(owner, world, workload) ?? []);
  const reasons = [
    ...(refusals.length > 0 && says !== undefined ? refusals.slice(0, 1) : []),
    ...groupPods(pods, world),
  ];
  if (reasons.length > 0) return reasons.map((r) => ({ ...r, causes: [...head, ...r.causes] }));
  if (says === undefined) {
    const none = pods.length > 0 ? undefined : explainNoNodes(workload, world.nodes);
    return none ? [none] : [];
  }
  const hint = workload.kind === 'Job' ? HINT.job : undefined;
  const none: Cause[] =
    pods.length === 0 && workload.kind !== 'Job'
      ? [
          {
            object: `${workload.kind} ${workload.metadata.name}`,
            says: 'has no pods yet, and no event says why',
          },
        ]
      : [];
  return [{ causes: [...head, ...none], hint, rank: RANK.workload }];
}

/** A Job may be a hook, which helm deletes by its own rules. */
function jobStory(job: Workload, world: World): string | undefined {
  const isGone = world.gone?.has(uidOf(job)) === true;
  const state = workloadState(job) ?? (isGone ? 'did not end in time' : undefined);
  if (state === undefined) return undefined;
  const hook = hookOf(job);
  const told = hook === undefined ? state : `is a hook (${hook}), and ${state}`;
  if (!isGone) return told;
  return isDeletedWhenItFails(job)
    ? `${told}; helm has deleted it, because hook-failed is in its helm.sh/hook-delete-policy`
    : `${told}; it has been deleted`;
}

function replicaSetsOf(workload: Workload, world: World): Workload[] {
  return world.workloads.filter((w) => w.kind === 'ReplicaSet' && isOwnedBy(w, workload));
}

function podsUnder(workload: Workload, world: World): Pod[] {
  return ownPods(workload, world.pods, replicaSetsOf(workload, world));
}

/** Keeps the named objects, the pods of named workloads and the pods that named Services select. */
function narrowed(world: World, focus: readonly Focus[]): World {
  const named = (kind: string, name: string): boolean =>
    focus.some((f) => f.kind === kind && f.name === name);
  const workloads = world.workloads.filter((w) => named(w.kind, w.metadata.name));
  const services = world.services.filter((s) => named('Service', s.metadata.name));
  const pods = new Set(workloads.flatMap((w) => podsUnder(w, world)));
  for (const pod of world.pods) {
    const selected = services.some((s) => matchesLabels(s.spec.selector, pod.metadata.labels));
    if (selected || named('Pod', pod.metadata.name)) pods.add(pod);
  }
  const replicaSets = workloads.flatMap((w) => replicaSetsOf(w, world));
  return {
    ...world,
    workloads: [...workloads, ...replicaSets],
    services,
    pods: [...pods],
    autoscalers: world.autoscalers?.filter((a) => named('HorizontalPodAutoscaler', a.metadata.name)),
  };
}
