/** The pods of one release, with what each asks of a node. Pure. */
import { matchesSelector } from '../../kube/api/selectors.ts';
import type { KubeObject, Node, Pod, PodSpec } from '../../kube/api/types.ts';
import type { ModelWorkload } from '../../kube/manifests/model/model.ts';
import { modelOf } from '../../kube/manifests/model/subject-model.ts';
import { field } from '../../kube/manifests/objects.ts';
import { type Amounts, podRequests } from '../../kube/manifests/pod-requests.ts';
import { updateMargins } from '../../kube/manifests/update-margins.ts';
import { mayUse } from '../../observe/diagnose/node-fit.ts';

export interface DemandedPod {
  /** Its workload, in one release: `toolman/T-46 1 Deployment web`. */
  of: string;
  requests: Amounts;
  /** Which nodes it may use. */
  spec: Pick<PodSpec, 'nodeSelector' | 'affinity' | 'tolerations'>;
  /** Of a pod of a DaemonSet: its node. */
  node?: string;
  /** It shares no node with another pod of its workload. */
  apart: boolean;
  /** There is one more pod during an update only. */
  surge: boolean;
}

/**
 * Hooks run one after the other, so the largest counts. What `helm test` and CronJobs start is not counted: it runs for a moment, or not at
 * all.
 *
 * @param objects rendered
 * @param nodes of a DaemonSet, each node that its pods fit gets one
 * @throws UsageError `E_QUANTITY`
 */
export function releaseDemand(
  objects: readonly KubeObject[],
  nodes: readonly Node[],
  release: { namespace: string },
): DemandedPod[] {
  const { workloads } = modelOf(objects, release);
  const running = workloads.filter(({ course }) => course === 'long-running' || course === 'job');
  const ordinary = running.filter(({ hookEvents }) => hookEvents.length === 0);
  const hooks = running
    .filter(({ hookEvents }) => hookEvents.length > 0)
    .map((hook) => podsOf(hook, nodes))
    .toSorted((a, b) => total(b).cpu - total(a).cpu || total(b).memory - total(a).memory);
  return [...ordinary.flatMap((workload) => podsOf(workload, nodes)), ...(hooks[0] ?? [])];
}

function podsOf(workload: ModelWorkload, nodes: readonly Node[]): DemandedPod[] {
  const { object, template, title } = workload;
  const { spec } = template;
  const pod = { of: title, requests: podRequests(spec), spec, apart: isApart(template), surge: false };
  if (object.kind === 'DaemonSet')
    return nodes.filter((node) => mayUse(spec, node)).map((node) => ({ ...pod, node: node.metadata.name }));
  const count = countOf(workload);
  const pods: DemandedPod[] = Array.from({ length: count }, () => pod);
  // The others of a larger surge may wait: with one the update goes on.
  return surges(workload, count) ? [...pods, { ...pod, surge: true }] : pods;
}

function countOf({ object: { kind, spec }, replicas }: ModelWorkload): number {
  if (replicas) return replicas.least;
  if (kind === 'ReplicationController') return numberAt(spec, 'replicas') ?? 1;
  if (kind !== 'Job') return 1;
  const parallel = numberAt(spec, 'parallelism') ?? 1;
  return Math.min(parallel, numberAt(spec, 'completions') ?? parallel);
}

function surges({ object: { kind, spec } }: ModelWorkload, replicas: number): boolean {
  return kind === 'Deployment' && replicas > 0 && updateMargins(field(spec, 'strategy'), replicas).surge > 0;
}

function numberAt(spec: unknown, key: string): number | undefined {
  const value = field(spec, key);
  return typeof value === 'number' ? value : undefined;
}

/** A required anti-affinity against the pods of its own workload, per node. */
function isApart({ metadata, spec }: ModelWorkload['template']): boolean {
  const terms = field(
    field(spec.affinity, 'podAntiAffinity'),
    'requiredDuringSchedulingIgnoredDuringExecution',
  );
  return (
    Array.isArray(terms) &&
    terms.some(
      (term) =>
        field(term, 'topologyKey') === 'kubernetes.io/hostname' &&
        field(term, 'labelSelector') !== undefined &&
        matchesSelector(field(term, 'labelSelector') as object, metadata.labels ?? {}),
    )
  );
}

/**
 * The pods of that many releases at once.
 *
 * @param by whose releases they are
 */
export function times(demand: readonly DemandedPod[], releases: number, by: string): DemandedPod[] {
  return Array.from({ length: releases }, (_, i) =>
    demand.map((pod) => ({ ...pod, of: `${by} ${i + 1} ${pod.of}` })),
  ).flat();
}

export function withoutSurge(demand: readonly DemandedPod[]): DemandedPod[] {
  return demand.filter(({ surge }) => !surge);
}

/** The demand of a pod that exists and has no node yet. */
export function demandOfPod({ metadata, spec }: Pod): DemandedPod {
  return {
    of: `Pod ${metadata.namespace ?? ''}/${metadata.name}`,
    requests: podRequests(spec),
    spec,
    apart: false,
    surge: false,
  };
}

export function total(demand: readonly DemandedPod[]): Amounts {
  return demand.reduce(
    ({ cpu, memory }, { requests }) => ({ cpu: cpu + requests.cpu, memory: memory + requests.memory }),
    { cpu: 0, memory: 0 },
  );
}
