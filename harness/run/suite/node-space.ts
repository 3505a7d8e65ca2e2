/** Whether pods fit the nodes beside what is there already. Pure. */
import type { Node, Pod } from '../../kube/api/types.ts';
import { type Amounts, podRequests, wholeAmount } from '../../kube/manifests/pod-requests.ts';
import { mayUse } from '../../observe/diagnose/node-fit.ts';
import { demandOfPod, type DemandedPod } from './release-demand.ts';

/** Who has a claim to pods: a check, or the shared release. */
export interface Tenant {
  /** Its pods, those that exist included. */
  demand: readonly DemandedPod[];
  /** Where its pods are, as far as they exist. */
  namespaces: ReadonlySet<string>;
}

interface PlacedPod {
  node: string;
  requests: Amounts;
  of?: string;
}

interface Space extends Amounts {
  node: Node;
  pods: number;
  /** Workloads with a pod here. */
  hosted: Set<string>;
}

/**
 * Whether the wanted pods fit the nodes.
 *
 * @param pods all pods of the cluster
 * @param tenants pods in their namespaces are theirs, and take the place of the demanded ones
 */
export function hasRoom(
  nodes: readonly Node[],
  pods: readonly Pod[],
  tenants: readonly Tenant[],
  wanted: readonly DemandedPod[],
): boolean {
  const spaces = nodes.map((node) => spaceOf(node, 1));
  const existing = pods.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  const ofNobody = existing.filter((pod) => !tenants.some((tenant) => isOf(tenant, pod)));
  const reckoned = [
    reckon([], ofNobody),
    ...tenants.map((tenant) =>
      reckon(
        tenant.demand,
        existing.filter((pod) => isOf(tenant, pod)),
      ),
    ),
  ];
  for (const pod of reckoned.flatMap(({ placed }) => placed)) occupy(spaces, pod);
  // What finds no place now takes none.
  place(
    spaces,
    reckoned.flatMap(({ missing }) => missing),
  );
  return place(spaces, wanted);
}

/** Whether all these pods fit half of each node: then they fit beside the few pods of the system. */
export function fitsHalf(nodes: readonly Node[], demand: readonly DemandedPod[]): boolean {
  return place(
    nodes.map((node) => spaceOf(node, 0.5)),
    demand,
  );
}

export function isOf({ namespaces }: Pick<Tenant, 'namespaces'>, { metadata }: Pod): boolean {
  return namespaces.has(metadata.namespace ?? '');
}

/** The pods of a tenant that are on nodes, and those that are still to come. A terminating pod makes room for its replacement later. */
function reckon(
  demand: readonly DemandedPod[],
  pods: readonly Pod[],
): { placed: PlacedPod[]; missing: DemandedPod[] } {
  const missing = [...demand];
  const placed: PlacedPod[] = [];
  const waiting: DemandedPod[] = [];
  for (const pod of pods) {
    const requests = podRequests(pod.spec);
    const node = pod.spec.nodeName;
    const match =
      pod.metadata.deletionTimestamp === undefined ? demandedBy(missing, requests, node) : undefined;
    if (match) missing.splice(missing.indexOf(match), 1);
    if (node !== undefined) placed.push({ node, requests, ...(match && { of: match.of }) });
    else waiting.push(match ?? demandOfPod(pod));
  }
  return { placed, missing: [...missing, ...waiting] };
}

/** The demanded pod that exists now. That of an update comes last. */
function demandedBy(
  demand: readonly DemandedPod[],
  { cpu, memory }: Amounts,
  node: string | undefined,
): DemandedPod | undefined {
  const same = demand.filter(({ requests }) => requests.cpu === cpu && requests.memory === memory);
  return (
    same.find((pod) => pod.node !== undefined && pod.node === node) ??
    same.find((pod) => pod.node === undefined && !pod.surge) ??
    same.find((pod) => pod.node === undefined)
  );
}

function spaceOf(node: Node, share: number): Space {
  const { cpu = '0', memory = '0', pods = '110' } = node.status?.allocatable ?? {};
  return {
    node,
    cpu: wholeAmount(cpu, 'cpu') * share,
    memory: wholeAmount(memory, 'memory') * share,
    pods: Number(pods) * share,
    hosted: new Set(),
  };
}

function occupy(spaces: readonly Space[], { node, requests, of }: PlacedPod): void {
  const space = spaces.find((one) => one.node.metadata.name === node);
  if (!space) return;
  space.cpu -= requests.cpu;
  space.memory -= requests.memory;
  space.pods -= 1;
  if (of !== undefined) space.hosted.add(of);
}

/**
 * Gives each pod the first node that it fits: those that fit one node only come first, then the largest.
 *
 * @returns whether each has a place
 */
function place(spaces: readonly Space[], pods: readonly DemandedPod[]): boolean {
  const most = {
    cpu: Math.max(1, ...spaces.map(({ cpu }) => cpu)),
    memory: Math.max(1, ...spaces.map(({ memory }) => memory)),
  };
  const ordered = pods
    .map((pod) => {
      const usable = spaces.filter(({ node }) =>
        pod.node === undefined ? mayUse(pod.spec, node) : node.metadata.name === pod.node,
      );
      const size = Math.max(pod.requests.cpu / most.cpu, pod.requests.memory / most.memory);
      return { pod, usable, size };
    })
    .toSorted(
      (a, b) =>
        Number(b.usable.length === 1) - Number(a.usable.length === 1) ||
        b.size - a.size ||
        a.usable.length - b.usable.length,
    );
  let isPlaced = true;
  for (const { pod, usable } of ordered) {
    const space = usable.find((one) => fits(one, pod));
    if (space) occupy([space], { node: space.node.metadata.name, requests: pod.requests, of: pod.of });
    else isPlaced = false;
  }
  return isPlaced;
}

/** A node that has given away more than it has still takes a pod that asks for nothing. */
function fits(space: Space, { requests: { cpu, memory }, of, apart }: DemandedPod): boolean {
  if (apart && space.hosted.has(of)) return false;
  return space.pods >= 1 && (cpu === 0 || cpu <= space.cpu) && (memory === 0 || memory <= space.memory);
}
