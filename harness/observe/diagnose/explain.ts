/** From one reading of a namespace to chains of causes. Pure: all the knowing is here and below, all the fetching elsewhere. */
import { ownPods } from '../../kube/api/workload-pods.ts';
import { matchesLabels } from '../../kube/api/selectors.ts';
import type { Pod, Workload } from '../../kube/api/types.ts';
import type { Cause } from './diagnosis.ts';
import { explainPod } from './explain-pod.ts';
import { explainService } from './explain-service.ts';
import { explainAutoscaler, explainRefusal, workloadState } from './explain-workload.ts';
import { HINT } from './hints.ts';
import { count, listed } from '../../core/wording.ts';
import type { Explanation, PodTrouble, World } from './world.ts';
import { RANK } from './world.ts';

export interface Focus {
  kind: string;
  name: string;
}

/** All that is wrong, the most upstream first; with a focus, only what concerns those objects. */
export function explain(world: World, focus: readonly Focus[] = []): Explanation[] {
  const view = focus.length === 0 ? world : narrowed(world, focus);
  const tops = view.workloads.filter((w) => w.kind !== 'ReplicaSet' || !w.metadata.ownerReferences?.length);
  const claimed = new Set<Pod>();
  const found: Explanation[] = [];
  for (const workload of tops) {
    const pods = podsUnder(workload, view);
    for (const pod of pods) claimed.add(pod);
    found.push(...explainWorkload(workload, pods, view));
  }
  const loose = view.pods.filter((p) => !claimed.has(p));
  found.push(...groupPods(loose, view));
  found.push(...view.services.flatMap((service) => explainService(service, world) ?? []));
  found.push(...(view.autoscalers ?? []).flatMap((autoscaler) => explainAutoscaler(autoscaler) ?? []));
  return found.sort((a, b) => b.rank - a.rank);
}

/** A workload's state, and behind it each kind of trouble of its pods. */
export function explainWorkload(workload: Workload, pods: readonly Pod[], world: World): Explanation[] {
  const says = workloadState(workload);
  const head: Cause[] =
    says === undefined ? [] : [{ object: `${workload.kind} ${workload.metadata.name}`, says }];
  const owners = [...replicaSetsOf(workload, world).sort((a, b) => revision(b) - revision(a)), workload];
  const refusals = owners.flatMap((owner) => explainRefusal(owner, world) ?? []);
  const reasons = [
    ...(refusals.length > 0 && says !== undefined ? refusals.slice(0, 1) : []),
    ...groupPods(pods, world),
  ];
  if (reasons.length > 0) return reasons.map((r) => ({ ...r, causes: [...head, ...r.causes] }));
  if (says === undefined) return [];
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

/** Pods with the same trouble are told once: "3 pods (a, b and c) each …". */
export function groupPods(pods: readonly Pod[], world: World): Explanation[] {
  const groups = new Map<string, { trouble: PodTrouble; pods: Pod[] }>();
  for (const pod of pods) {
    const trouble = explainPod(pod, world);
    if (!trouble) continue;
    const key = fingerprint(trouble, pod);
    const group = groups.get(key);
    if (group) group.pods.push(pod);
    else groups.set(key, { trouble, pods: [pod] });
  }
  return [...groups.values()].map(({ trouble, pods: same }) => ({
    causes: [
      { object: podsTitle(same), says: same.length === 1 ? trouble.says : `each ${trouble.says}` },
      ...trouble.upstream,
    ],
    hint: trouble.hint,
    rank: trouble.rank,
  }));
}

function podsTitle(pods: readonly Pod[]): string {
  const names = pods.map((p) => p.metadata.name);
  return names.length === 1 ? `Pod ${names[0] ?? ''}` : `${count(names.length, 'pod')} (${listed(names, 3)})`;
}

/** Two pods have the same trouble when only names, addresses and counters differ. */
function fingerprint(trouble: PodTrouble, pod: Pod): string {
  const text = [
    trouble.says,
    ...trouble.upstream.filter((c) => !c.object.startsWith('Log of')).map((c) => `${c.object} ${c.says}`),
  ].join('\n');
  return text
    .replaceAll(pod.metadata.name, 'POD')
    .replaceAll(pod.spec.nodeName ?? '\u0000', 'NODE')
    .replace(/\d+(\.\d+){3}/g, 'IP')
    .replace(/restarted \d+ times?/g, 'restarted')
    .replace(/ at once| (after|in|for) \d+ s/g, '');
}

function replicaSetsOf(workload: Workload, world: World): Workload[] {
  return world.workloads.filter(
    (w) =>
      w.kind === 'ReplicaSet' && w.metadata.ownerReferences?.some((o) => o.uid === workload.metadata.uid),
  );
}

function revision(replicaSet: Workload): number {
  return Number(replicaSet.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
}

function podsUnder(workload: Workload, world: World): Pod[] {
  return ownPods(workload, world.pods, replicaSetsOf(workload, world));
}

/** Keeps the named objects and what hangs on them: a workload's pods, a Service's pods. */
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
