/** The cluster that follows from a rendered subject: a topology, and what was provided for what reason. Pure. */
import { nodeSelected, untolerated } from '../../harness/observe/diagnose/node-fit.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import type { NodeGroup, NodeWish, Provided, Topology } from '../../harness/kube/cluster/cluster.ts';
import { modelOf } from '../../harness/kube/manifests/model/subject-model.ts';
import { nameOf, ofKind } from '../../harness/kube/manifests/objects.ts';
import { count } from '../../harness/core/wording.ts';
import { GPU_NODE_LABELS, GPU_NODE_TAINTS, isLabel, taintText } from '../topology.ts';
import { demandOf, type NodeDemand, type Wanted } from './node-demand.ts';
import {
  asNode,
  BUILT_IN_KEYS,
  isApart,
  MOST_WORKERS,
  place,
  type DomainLabels,
  type Placement,
  type Requirements,
} from './place.ts';

/** Of each GPU node, so that several releases at the same time get theirs; simulated GPUs cost nothing. */
const LEAST_GPUS = 4;
const RELEASES_AT_A_TIME = 4;

/** Only such labels of the control plane node select it. */
const CONTROL_PLANE = asNode({ 'node-role.kubernetes.io/control-plane': '' });

type Taint = NonNullable<NodeGroup['taints']>[number];

interface Selected {
  demand: NodeDemand;
  labels: ReadonlyMap<string, readonly string[]>;
}

/**
 * Adds to a topology of plain workers what the subject asks for: nodes for rules about being apart, labels that selectors name, taints
 * that one of its workloads both selects and tolerates, topology domains, GPU nodes, RuntimeClasses. A toleration alone asks for nothing.
 * At most MOST_WORKERS workers; what is not provided is in `missing`.
 *
 * @param plain the topology without the subject; its workers have neither labels nor taints
 * @param release.namespace in which the objects are rendered
 */
export function provideFor(
  objects: readonly KubeObject[],
  plain: Topology,
  release: { namespace: string },
): { topology: Topology; provided: Provided } {
  const demands = modelOf(objects, release).workloads.map(demandOf);
  const missing: NodeWish[] = [];
  const selected = demands.flatMap((demand) => {
    const labels = labelsFor(demand);
    if (labels) return [{ demand, labels }];
    if (!nodeSelected(demand.spec, CONTROL_PLANE)) missing.push(unselectable(demand));
    return [];
  });
  const gpuTaints = selected.every(({ demand }) => !demand.gpus || expectsGpuTaint(demand));
  const domains = domainsOf(selected);
  const placement = place(
    selected.map((one) => ({ demand: one.demand, requirements: requirementsOf(one, selected, gpuTaints) })),
    plain.groups.reduce((sum, group) => sum + group.count, 0),
    domains,
  );
  const classes = runtimeClassesOf(demands, objects);
  missing.push(...shortages(placement), ...demands.flatMap(otherResources), ...classes.missing);
  const metrics = metricsGiven(objects);
  const names = [...new Set([...(plain.runtimeClasses ?? []), ...classes.names])].sort();
  return {
    topology: {
      ...plain,
      groups: groupsOf(placement),
      ...(names.length > 0 && { runtimeClasses: names }),
      ...(metrics.length > 0 && { metrics: true }),
    },
    provided: {
      given: [
        ...workersGiven(placement),
        ...labelsGiven(placement, selected, domains.wanted),
        ...taintsGiven(placement),
        ...domainsGiven(placement, domains.wanted),
        ...gpusGiven(placement),
        ...classes.given,
        ...metrics,
      ],
      missing,
    },
  };
}

/** The alternative of its node selection that needs the fewest labels; `undefined` when no label of a worker satisfies any. */
function labelsFor(demand: NodeDemand): ReadonlyMap<string, readonly string[]> | undefined {
  const possible = demand.nodeLabels.flatMap((alternative) => {
    const asked = [...alternative].filter(([key]) => !BUILT_IN_KEYS.has(key));
    const valid = asked.every(([key, values]) => values[0] !== undefined && isLabel(key, values[0]));
    const node = asNode(Object.fromEntries(asked.map(([key, [first = '']]) => [key, first])));
    return valid && nodeSelected(demand.spec, node) ? [new Map(asked)] : [];
  });
  return possible.toSorted((a, b) => a.size - b.size)[0];
}

function requirementsOf(
  { demand, labels }: Selected,
  all: readonly Selected[],
  gpuTaints: boolean,
): Requirements {
  if (!demand.gpus) return { labels, taints: taintsFor(labels, all), isGpu: false };
  const gpuLabels = Object.entries(GPU_NODE_LABELS).map(([key, value]) => [key, [value]] as const);
  return {
    labels: new Map([...gpuLabels, ...labels]),
    taints: gpuTaints ? GPU_NODE_TAINTS : [],
    isGpu: true,
  };
}

/**
 * For each label that is selected: a taint of the same key and value, if every workload that selects the label tolerates it and one names
 * it in a toleration. Otherwise nodes with the label would refuse pods that ask for it.
 */
function taintsFor(labels: Selected['labels'], all: readonly Selected[]): Taint[] {
  return [...labels].flatMap(([key, [value = '']]) => {
    const taint: Taint = { key, ...(value !== '' && { value }), effect: 'NoSchedule' };
    const selecting = all.filter((one) => one.labels.get(key)?.includes(value));
    const isNamed = selecting.some(({ demand }) =>
      (demand.spec.tolerations ?? []).some((toleration) => toleration.key === key),
    );
    return isNamed && selecting.every(({ demand }) => !demand.gpus && tolerates(demand, [taint]))
      ? [taint]
      : [];
  });
}

/** Names the key of the taint, or tolerates everything. Whether it also tolerates the usual value is for the checks to find out. */
function expectsGpuTaint(demand: NodeDemand): boolean {
  const names = (demand.spec.tolerations ?? []).some(({ key }) =>
    GPU_NODE_TAINTS.some((taint) => taint.key === key),
  );
  return names || tolerates(demand, GPU_NODE_TAINTS);
}

function tolerates({ spec }: NodeDemand, taints: Taint[]): boolean {
  return untolerated(spec, asNode({}, taints)).length === 0;
}

/** All keys have the same number of domains, so that a zone is never in two regions. */
function domainsOf(selected: readonly Selected[]): {
  count: number;
  labels: DomainLabels;
  wanted: ReadonlyMap<string, Wanted>;
} {
  const wanted = new Map<string, Wanted>();
  for (const { demand } of selected) {
    for (const [key, { count: own, why }] of demand.domains) {
      const others = selected.filter(({ demand: other }) =>
        demand.apart.some((rule) => rule.key === key && other !== demand && isApart(rule, demand, other)),
      );
      const needs = own + others.reduce((sum, one) => sum + (one.demand.domains.get(key)?.count ?? 1), 0);
      if (needs > (wanted.get(key)?.count ?? 0)) wanted.set(key, { count: needs, why });
    }
  }
  const values = new Map(
    [...wanted.keys()].map((key) => [
      key,
      [...new Set(selected.flatMap(({ labels }) => labels.get(key) ?? []))],
    ]),
  );
  const counts = [...wanted.values()].map((one) => one.count);
  const size = Math.min(
    MOST_WORKERS,
    Math.max(1, ...counts, ...[...values.values()].map((list) => list.length)),
  );
  const labels: DomainLabels = (domain) =>
    Object.fromEntries([...values].map(([key, named]) => [key, named[domain] ?? domainName(key, domain)]));
  return { count: size, labels, wanted };
}

/** `zone-a` for `topology.kubernetes.io/zone`. */
function domainName(key: string, domain: number): string {
  return `${key.slice(key.lastIndexOf('/') + 1).slice(0, 50)}-${'abcde'[domain] ?? domain}`;
}

/** Nodes that are alike are one group. */
function groupsOf({ nodes }: Placement): NodeGroup[] {
  const groups = new Map<string, NodeGroup>();
  for (const { labels, taints, isGpu, hosted } of nodes) {
    const key = JSON.stringify([Object.entries(labels).sort(), taints, isGpu]);
    const known = groups.get(key);
    const kind = isGpu ? 'gpu' : 'worker';
    const number = [...groups.values()].filter(({ name }) => name.startsWith(kind)).length + 1;
    groups.set(key, {
      name: known?.name ?? (number === 1 ? kind : `${kind}-${number}`),
      count: (known?.count ?? 0) + 1,
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(taints.length > 0 && { taints }),
      ...(isGpu && { gpus: [...(known?.gpus ?? []), gpusFor(hosted)] }),
    });
  }
  return [...groups.values()];
}

function gpusFor(hosted: readonly NodeDemand[]): number {
  const asked = hosted.reduce((sum, { gpus }) => sum + (gpus?.count ?? 0), 0);
  return Math.min(1024, Math.max(LEAST_GPUS, asked * RELEASES_AT_A_TIME));
}

function runtimeClassesOf(
  demands: readonly NodeDemand[],
  objects: readonly KubeObject[],
): { names: string[]; given: NodeWish[]; missing: NodeWish[] } {
  const own = new Set(ofKind(objects, 'RuntimeClass').map(({ metadata }) => metadata.name));
  const users = new Map<string, string[]>();
  for (const { runtimeClass, title } of demands) {
    if (runtimeClass !== undefined) users.set(runtimeClass, [...(users.get(runtimeClass) ?? []), title]);
  }
  const wish = ([name, titles]: [string, string[]], rest = ''): NodeWish => ({
    what: `RuntimeClass ${name}${rest}`,
    why: `runtimeClassName of ${joined(titles)}`,
  });
  const others = [...users].filter(([name]) => !own.has(name));
  return {
    names: others.map(([name]) => name),
    given: others.map((one) =>
      wish(one, one[0] === 'nvidia' ? '' : ', which runs containers like any other'),
    ),
    missing: [...users]
      .filter(([name]) => own.has(name))
      .map((one) => wish(one, ': the subject renders it, and the nodes have no handler for it')),
  };
}

/** Without metrics-server, an autoscaler measures nothing. */
function metricsGiven(objects: readonly KubeObject[]): NodeWish[] {
  const autoscalers = ofKind(objects, 'HorizontalPodAutoscaler');
  if (autoscalers.length === 0) return [];
  return [{ what: 'metrics of pods and nodes', why: joined(autoscalers.map(nameOf)) }];
}

function workersGiven({ nodes, added }: Placement): NodeWish[] {
  if (added.length === 0) return [];
  return [{ what: count(nodes.length, 'worker'), why: joined(added.map(({ demand }) => demand.nodes.why)) }];
}

function labelsGiven(
  { nodes }: Placement,
  selected: readonly Selected[],
  domains: ReadonlyMap<string, unknown>,
): NodeWish[] {
  const labels = new Map<string, { on: number; hosted: NodeDemand[] }>();
  for (const node of nodes) {
    for (const [key, value] of Object.entries(node.labels)) {
      if (domains.has(key)) continue;
      const { on, hosted } = labels.get(`${key}=${value}`) ?? { on: 0, hosted: [] };
      labels.set(`${key}=${value}`, { on: on + 1, hosted: [...hosted, ...node.hosted] });
    }
  }
  return [...labels].map(([text, { on, hosted }]) => {
    const key = text.slice(0, text.indexOf('='));
    const selects = (demand: NodeDemand): boolean =>
      selected.some((one) => one.demand === demand && one.labels.has(key));
    const titles = hosted.filter(selects).map(({ title }) => title);
    const gpus = joined(hosted.flatMap((demand) => demand.gpus?.why ?? []));
    const why = titles.length > 0 ? `node selection of ${joined(titles)}` : gpus;
    return { what: `label ${text} on ${count(on, 'worker')}`, why };
  });
}

function taintsGiven({ nodes }: Placement): NodeWish[] {
  const taints = new Map<string, { on: number; titles: string[] }>();
  for (const node of nodes) {
    for (const taint of node.taints) {
      const known = taints.get(taintText(taint)) ?? { on: 0, titles: [] };
      known.titles.push(...node.hosted.map(({ title }) => title));
      taints.set(taintText(taint), { ...known, on: known.on + 1 });
    }
  }
  return [...taints].map(([text, { on, titles }]) => ({
    what: `taint ${text} on ${count(on, 'worker')}`,
    why: `selection and tolerations of ${joined(titles)}`,
  }));
}

function domainsGiven({ nodes }: Placement, wanted: ReadonlyMap<string, Wanted>): NodeWish[] {
  return [...wanted].map(([key, { why }]) => {
    const values = [...new Set(nodes.flatMap(({ labels }) => labels[key] ?? []))];
    return { what: `label ${key} with ${count(values.length, 'value')} (${values.join(', ')})`, why };
  });
}

function gpusGiven({ nodes }: Placement): NodeWish[] {
  const gpuNodes = nodes.filter(({ isGpu }) => isGpu);
  if (gpuNodes.length === 0) return [];
  const gpus = gpuNodes.map(({ hosted }) => gpusFor(hosted)).join(' and ');
  const whys = gpuNodes.flatMap(({ hosted }) => hosted.flatMap((demand) => demand.gpus?.why ?? []));
  return [{ what: `${count(gpuNodes.length, 'GPU worker')} with ${gpus} simulated GPUs`, why: joined(whys) }];
}

function shortages({ short, nodes }: Placement): NodeWish[] {
  return short.map(({ demand, lacks }) => ({
    what:
      nodes.length >= MOST_WORKERS
        ? `${count(lacks, 'more worker')}: a cluster has at most ${MOST_WORKERS}`
        : `${count(lacks, 'worker')} that other workloads leave free`,
    why: demand.nodes.why,
  }));
}

function unselectable({ title }: NodeDemand): NodeWish {
  return { what: 'a node that fits: no label of a worker does', why: `node selection of ${title}` };
}

function otherResources({ otherResources: names, title }: NodeDemand): NodeWish[] {
  return names.map((name) => ({
    what: `resource ${name}: only nvidia.com/gpu is simulated`,
    why: `resources of ${title}`,
  }));
}

/** Each part once. */
function joined(parts: readonly string[]): string {
  return [...new Set(parts)].join(' and ');
}
