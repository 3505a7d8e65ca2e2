/** How many CPUs the nodes have to report for the cpu requests of a subject. Pure. */
import type { KubeObject, Node } from '../../harness/kube/api/types.ts';
import type { NodeWish, Topology } from '../../harness/kube/cluster/cluster.ts';
import { modelOf } from '../../harness/kube/manifests/model/subject-model.ts';
import { mayUse } from '../../harness/observe/diagnose/node-fit.ts';
import { releaseDemand, total } from '../../harness/run/suite/release-demand.ts';
import { CONCURRENCY } from '../../harness/run/suite/worker-config.ts';
import { asNode } from './place.ts';

/** Those that checks install side by side, and the one that they share. */
const RELEASES = CONCURRENCY.check + 1;
/** For what runs on each node beside the pods of releases. */
const SYSTEM_CPUS = 1;
const MOST_CPUS = 256;

/**
 * CPUs that each node has to report so that a run can have as many releases at a time as it has checks. Without them, checks would wait for
 * room, and a pod that requests more than the machine has would never be scheduled.
 *
 * @param topology of the cluster: only nodes that the pods may use count
 * @returns `undefined` when the pods request no cpu
 */
export function cpusFor(
  objects: readonly KubeObject[],
  topology: Topology,
  release: { namespace: string },
): { cpus: number; why: string } | undefined {
  const nodes = topology.groups.flatMap(({ count, labels = {}, taints = [] }) =>
    Array.from({ length: count }, (): Node => asNode(labels, taints)),
  );
  const pods = releaseDemand(objects, nodes, release);
  const each = total(pods).cpu;
  if (each === 0) return undefined;
  const largest = Math.max(...pods.map(({ requests }) => requests.cpu));
  const usable = nodes.filter((node) => pods.some(({ spec }) => mayUse(spec, node))).length;
  const perNode = (RELEASES * each) / Math.max(1, usable) + largest;
  const requesting = modelOf(objects, release).workloads.filter(({ title }) =>
    pods.some(({ of, requests }) => of === title && requests.cpu > 0),
  );
  return {
    cpus: Math.min(MOST_CPUS, Math.ceil(perNode / 1000) + SYSTEM_CPUS),
    why: `cpu requests of ${requesting.map(({ title }) => title).join(' and ')}, ${each}m for each release`,
  };
}

/** What a report says of it. */
export function cpusWish({ cpus, why }: { cpus: number; why: string }): NodeWish {
  return { what: `nodes that report ${cpus} CPUs each`, why };
}
