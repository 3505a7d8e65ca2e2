/** The nodes that suites require, and the smallest cluster that satisfies several suites. Pure. */
import { z } from 'zod';
import { UsageError } from '../harness/core/errors.ts';
import type { ExtraStorageClass, NodeGroup, Topology } from '../harness/kube/cluster/cluster.ts';

/** Label and taint of GPU nodes, as the NVIDIA GPU operator sets them. */
export const GPU_NODE_LABELS: Record<string, string> = { 'nvidia.com/gpu.present': 'true' };
export const GPU_NODE_TAINTS: NonNullable<NodeGroup['taints']> = [
  { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' },
];

// Kubernetes documentation, "Labels and Selectors", syntax and character set.
const labelKey = z
  .string()
  .regex(/^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/, {
    error: (issue) => `"${String(issue.input)}" is not a label key`,
  });
const labelValue = z.string().regex(/^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/, {
  error: (issue) => `"${String(issue.input)}" is not a label value`,
});

/** Whether a node can have the label. */
export function isLabel(key: string, value: string): boolean {
  return labelKey.safeParse(key).success && labelValue.safeParse(value).success;
}

// Kubernetes documentation, "Object Names and IDs", DNS subdomain names.
const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, {
    error: (issue) => `"${String(issue.input)}" is not a name of an object`,
  });

/** Whether an object, for example a StorageClass, can have the name. */
export function isObjectName(name: string): boolean {
  return objectName.safeParse(name).success;
}

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
  metrics: z.boolean().exactOptional(),
  storageClasses: z.array(z.strictObject({ name: objectName, isShared: z.boolean() })).exactOptional(),
  cpus: z.int().min(1).max(1024).exactOptional(),
}) satisfies z.ZodType<Topology>;

/**
 * Validates the topology of a suite.
 *
 * @throws UsageError `E_TOPOLOGY` that names every invalid field
 */
export function parseTopology(input: unknown, from: string): Topology {
  const parsed = topologySchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'topology'}: ${issue.message}`,
  );
  throw new UsageError('E_TOPOLOGY', `the topology of ${from} is not valid: ${issues.join('; ')}`, {
    hint: 'correct the fields named above; clusters/topology.ts defines them',
  });
}

/** A group of GPU nodes, labelled and tainted as the GPU operator does; `gpus` has one number for each node. */
export function gpuGroup(gpus: number[], name = 'gpu'): NodeGroup {
  return { name, count: gpus.length, labels: GPU_NODE_LABELS, taints: GPU_NODE_TAINTS, gpus };
}

/**
 * The smallest cluster that satisfies all given topologies, one at a time.
 *
 * Suites run in sequence, so groups of different topologies that require the same nodes share them: the result has the larger count, not
 * the sum, and for each node the larger number of GPUs, largest first. Nodes with more labels than a group without GPUs requires also
 * satisfy it, if the taints are the same. Groups of one topology never share nodes.
 *
 * @throws UsageError `E_TOPOLOGY`, or `E_TOPOLOGY_CONFLICT` for different nodes of one name and for the same labels with and without
 *   a taint (a nodeSelector cannot distinguish those nodes)
 */
export function mergeTopologies(topologies: readonly Topology[]): Topology {
  const groups = topologies
    .flatMap((topology, index) =>
      parseTopology(topology, `suite ${index + 1} of ${topologies.length}`).groups.map(
        (group): SharedGroup => ({ group, of: [index] }),
      ),
    )
    .reduce<SharedGroup[]>(addGroup, []);
  const merged = absorbSubsets(groups);
  assertNoConflicts(merged);
  const storageClasses = mergeStorage(topologies.flatMap((t) => t.storageClasses ?? []));
  const cpus = Math.max(0, ...topologies.map((t) => t.cpus ?? 0));
  const runtimeClasses = [...new Set(topologies.flatMap((t) => t.runtimeClasses ?? []))].sort();
  return {
    groups: merged,
    ...(runtimeClasses.length > 0 && { runtimeClasses }),
    ...(topologies.some((t) => t.metrics === true) && { metrics: true }),
    ...(storageClasses.length > 0 && { storageClasses }),
    ...(cpus > 0 && { cpus }),
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
    ...(topology.metrics === true ? ['metrics'] : []),
    ...(topology.storageClasses ?? []).map(
      ({ name, isShared }) => `storage class ${name}${isShared ? ' for several nodes' : ''}`,
    ),
    ...(topology.cpus === undefined ? [] : [`${topology.cpus} CPUs on each node`]),
  ];
  return ['1 control plane', ...groups, ...extras].join(', ');
}

/** `key=value:Effect`, in kubectl's notation. */
export function taintText(taint: { key: string; value?: string | undefined; effect: string }): string {
  const value = taint.value === undefined || taint.value === '' ? '' : `=${taint.value}`;
  return `${taint.key}${value}:${taint.effect}`;
}

/** Each class once, by name. One that several nodes can mount also serves claims of one node. */
function mergeStorage(classes: readonly ExtraStorageClass[]): ExtraStorageClass[] {
  return [...new Set(classes.map(({ name }) => name))].sort().map((name) => ({
    name,
    isShared: classes.some((one) => one.name === name && one.isShared),
  }));
}

/** A group, and the topologies that require it, by index. */
interface SharedGroup {
  group: NodeGroup;
  of: readonly number[];
}

function addGroup(groups: SharedGroup[], added: SharedGroup): SharedGroup[] {
  const { group } = added;
  const twin = groups.find(
    ({ group: other }) =>
      labelsKey(other) === labelsKey(group) &&
      taintsKey(other) === taintsKey(group) &&
      isGpu(other) === isGpu(group),
  );
  if (twin === undefined) return [...groups, added];
  const count = Math.max(twin.group.count, group.count);
  const gpus = mergeGpus(twin.group.gpus, group.gpus, count);
  const merged: NodeGroup = { ...twin.group, count, ...(gpus && { gpus }) };
  return groups.map((other) => (other === twin ? { group: merged, of: [...twin.of, ...added.of] } : other));
}

function mergeGpus(a: number[] | undefined, b: number[] | undefined, count: number): number[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const [x, y] = [a, b].map((list) => [...list].sort((m, n) => n - m));
  return Array.from({ length: count }, (_, i) => Math.max(x?.[i] ?? 0, y?.[i] ?? 0));
}

/** Drops nodes whose role nodes of another topology can play: plain workers where untainted labelled workers exist. */
function absorbSubsets(groups: SharedGroup[]): NodeGroup[] {
  // Most labels first: a group may rely only on nodes that are not dropped themselves.
  const byLabels = [...groups].sort(
    (a, b) => sortedEntries(b.group.labels).length - sortedEntries(a.group.labels).length,
  );
  /** What is left of a group, and by topology how many of its nodes are in use. */
  const kept = new Map<SharedGroup, { left: NodeGroup; used: Map<number, number> }>();
  for (const shared of byLabels) {
    const { group, of } = shared;
    let missing = group.count;
    for (const { left, used } of kept.values()) {
      if (!serves(left, group)) continue;
      const free = left.count - Math.max(...of.map((topology) => used.get(topology) ?? 0));
      const taken = Math.min(free, missing);
      for (const topology of of) used.set(topology, (used.get(topology) ?? 0) + taken);
      missing -= taken;
    }
    if (missing === 0) continue;
    kept.set(shared, {
      left: { ...group, count: missing },
      used: new Map(of.map((topology) => [topology, missing])),
    });
  }
  return groups.flatMap((shared) => kept.get(shared)?.left ?? []);
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
