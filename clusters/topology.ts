/** The nodes that suites ask for, and the smallest cluster that serves several of them. Pure. */
import { z } from 'zod';
import { UsageError } from '../harness/core/errors.ts';
import type { NodeGroup, Topology } from './cluster.ts';

/** Label and taint that GPU nodes carry, as the NVIDIA GPU operator sets them. */
export const GPU_NODE_LABELS: Record<string, string> = { 'nvidia.com/gpu.present': 'true' };
export const GPU_NODE_TAINTS: NonNullable<NodeGroup['taints']> = [
  { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' },
];

// Kubernetes: "Labels and selectors", syntax and character set.
const labelKey = z
  .string()
  .regex(/^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/, {
    error: (issue) => `"${String(issue.input)}" is not a label key`,
  });
const labelValue = z.string().regex(/^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/, {
  error: (issue) => `"${String(issue.input)}" is not a label value`,
});

const nodeGroupSchema = z
  .strictObject({
    name: z.string().min(1),
    count: z.int().min(1).max(50),
    labels: z.record(labelKey, labelValue).exactOptional(),
    taints: z
      .array(
        z.strictObject({
          key: labelKey,
          value: labelValue.exactOptional(),
          effect: z.enum(['NoSchedule', 'NoExecute', 'PreferNoSchedule']),
        }),
      )
      .exactOptional(),
    gpus: z.array(z.int().min(0).max(1024)).exactOptional(),
  })
  .refine((group) => group.gpus === undefined || group.gpus.length === group.count, {
    error: 'gpus needs one number for each node of the group',
    path: ['gpus'],
  });

export const topologySchema = z.strictObject({
  groups: z.array(nodeGroupSchema),
  runtimeClasses: z.array(z.string().min(1)).exactOptional(),
  storageClasses: z.array(z.string().min(1)).exactOptional(),
  metrics: z.boolean().exactOptional(),
}) satisfies z.ZodType<Topology>;

/**
 * Validates a topology that comes from a suite or a file.
 *
 * @throws UsageError `E_TOPOLOGY` that names every field that is wrong
 */
export function parseTopology(input: unknown, from: string): Topology {
  const parsed = topologySchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'topology'}: ${issue.message}`,
  );
  throw new UsageError('E_TOPOLOGY', `the topology of ${from} is not valid: ${issues.join('; ')}`, {
    hint: 'correct the fields named above; clusters/topology.ts says what each may hold',
  });
}

/** What toolman's chart asks for: one node for each of its three replicas, labelled for its nodeSelector. */
export function toolmanTopology(): Topology {
  return { groups: [{ name: 'tools', count: 3, labels: { 'workload-type': 'tools' } }] };
}

/** GPU nodes as the device plugin and the GPU operator leave them; `gpus` has one number for each node. */
export function gpuGroup(gpus: number[], name = 'gpu'): NodeGroup {
  return { name, count: gpus.length, labels: GPU_NODE_LABELS, taints: GPU_NODE_TAINTS, gpus };
}

/**
 * The smallest cluster that serves all the given topologies, one after the other.
 *
 * Suites run in turn, so groups that ask for the same nodes share them: the larger count is taken, not the sum, and of GPU
 * numbers the larger one for each node, largest first. A group without GPUs is also served by nodes with more labels than it
 * asks for, if the taints are the same.
 *
 * @throws UsageError `E_TOPOLOGY` or `E_TOPOLOGY_CONFLICT`: same name for different nodes, or the same labels with and
 *   without a taint (a nodeSelector could not tell those nodes apart)
 */
export function mergeTopologies(topologies: readonly Topology[]): Topology {
  const groups = topologies
    .flatMap(
      (topology, index) => parseTopology(topology, `suite ${index + 1} of ${topologies.length}`).groups,
    )
    .reduce<NodeGroup[]>(addGroup, []);
  const merged = absorbSubsets(groups);
  assertNoConflicts(merged);
  const runtimeClasses = union(topologies.map((t) => t.runtimeClasses));
  const storageClasses = union(topologies.map((t) => t.storageClasses));
  return {
    groups: merged,
    ...(runtimeClasses.length > 0 && { runtimeClasses }),
    ...(storageClasses.length > 0 && { storageClasses }),
    ...(topologies.some((t) => t.metrics === true) && { metrics: true }),
  };
}

/** One line for plans and progress: `1 control plane, 3 × tools (workload-type=tools), 2 × gpu (…; 4 and 1 GPUs)`. */
export function describeTopology(topology: Topology): string {
  const groups = topology.groups.map((group) => {
    const facts = [
      ...sortedEntries(group.labels).map(([key, value]) => `${key}=${value}`),
      ...(group.taints ?? []).map((taint) => `taint ${taintText(taint)}`),
      ...(group.gpus === undefined ? [] : [`${group.gpus.join(' and ')} GPUs`]),
    ];
    return `${group.count} × ${group.name}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
  });
  const extras = [
    ...(topology.runtimeClasses ?? []).map((name) => `runtime handler ${name}`),
    ...(topology.storageClasses ?? []).map((name) => `storage class ${name}`),
    ...(topology.metrics === true ? ['metrics'] : []),
  ];
  return ['1 control plane', ...groups, ...extras].join(', ');
}

/** `key=value:Effect`, as kubectl writes a taint. */
export function taintText(taint: { key: string; value?: string | undefined; effect: string }): string {
  const value = taint.value === undefined || taint.value === '' ? '' : `=${taint.value}`;
  return `${taint.key}${value}:${taint.effect}`;
}

function addGroup(groups: NodeGroup[], group: NodeGroup): NodeGroup[] {
  const twin = groups.find(
    (other) =>
      labelsKey(other) === labelsKey(group) &&
      taintsKey(other) === taintsKey(group) &&
      isGpu(other) === isGpu(group),
  );
  if (twin === undefined) return [...groups, group];
  const count = Math.max(twin.count, group.count);
  const gpus = mergeGpus(twin.gpus, group.gpus, count);
  const merged: NodeGroup = { ...twin, count, ...(gpus && { gpus }) };
  return groups.map((other) => (other === twin ? merged : other));
}

function mergeGpus(a: number[] | undefined, b: number[] | undefined, count: number): number[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const [x, y] = [a, b].map((list) => [...list].sort((m, n) => n - m));
  return Array.from({ length: count }, (_, i) => Math.max(x?.[i] ?? 0, y?.[i] ?? 0));
}

/** Takes away what nodes of another group serve as well: plain workers when there are labelled ones without taints. */
function absorbSubsets(groups: NodeGroup[]): NodeGroup[] {
  // Most labels first: a group must count only on nodes that are still there after it has been absorbed itself.
  const byLabels = [...groups].sort(
    (a, b) => sortedEntries(b.labels).length - sortedEntries(a.labels).length,
  );
  const kept = new Map<NodeGroup, NodeGroup>();
  for (const group of byLabels) {
    const serving = [...kept.values()].filter((other) => serves(other, group));
    const missing = group.count - serving.reduce((sum, other) => sum + other.count, 0);
    if (missing > 0) kept.set(group, { ...group, count: missing });
  }
  return groups.flatMap((group) => kept.get(group) ?? []);
}

function serves(other: NodeGroup, group: NodeGroup): boolean {
  return (
    !isGpu(other) && !isGpu(group) && taintsKey(other) === taintsKey(group) && hasMoreLabels(other, group)
  );
}

function hasMoreLabels(a: NodeGroup, b: NodeGroup): boolean {
  const more = sortedEntries(a.labels).length > sortedEntries(b.labels).length;
  return more && sortedEntries(b.labels).every(([key, value]) => a.labels?.[key] === value);
}

function assertNoConflicts(groups: readonly NodeGroup[]): void {
  for (const [i, a] of groups.entries()) {
    for (const b of groups.slice(i + 1)) {
      const sameLabels = labelsKey(a) === labelsKey(b) && labelsKey(a) !== '';
      if (!sameLabels && a.name !== b.name) continue;
      const why = sameLabels
        ? `both carry the labels ${labelsKey(a)}, but one has the taints [${taintsKey(a)}] and the other [${taintsKey(b)}]`
        : 'they have the same name and different nodes';
      throw new UsageError(
        'E_TOPOLOGY_CONFLICT',
        `the node groups "${a.name}" and "${b.name}" cannot be in one cluster: ${why}`,
        { hint: 'run the suites one by one, or give one of the groups another label or name' },
      );
    }
  }
}

function isGpu(group: NodeGroup): boolean {
  return group.gpus !== undefined;
}

function labelsKey(group: NodeGroup): string {
  return sortedEntries(group.labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function taintsKey(group: NodeGroup): string {
  return (group.taints ?? []).map(taintText).sort().join(',');
}

function sortedEntries(record: Record<string, string> | undefined): [string, string][] {
  return Object.entries(record ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function union(lists: (readonly string[] | undefined)[]): string[] {
  return [...new Set(lists.flatMap((list) => list ?? []))].sort();
}
