/** Whether the access modes of claims fit the replicas that mount them. */
import { listed } from '../../../core/wording.ts';
import type { ModelWorkload, UsedClaim } from '../../../kube/manifests/model/model.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';

/** Modes in which the pods of several nodes can mount a volume. */
const SHARED: ReadonlySet<string> = new Set(['ReadWriteMany', 'ReadOnlyMany']);

/** Where the replicas of a workload are, for the message. */
export interface Placement {
  workload: ModelWorkload;
  /** Nodes of its pods. */
  nodes: readonly string[];
}

/**
 * No claim that only one node can mount is shared by several replicas: it ties all of them to that node, or keeps those on other nodes from
 * starting. A claim of a template belongs to one pod.
 *
 * A DaemonSet with pods on several nodes counts as several replicas.
 */
export function claimsFitReplicas(placements: readonly Placement[]): PredicateResult {
  const complaints = placements.flatMap(({ workload, nodes }) => {
    const isSeveral =
      workload.object.kind === 'DaemonSet' ? nodes.length > 1 : (workload.replicas?.least ?? 1) > 1;
    if (!isSeveral) return [];
    return workload.claims.filter(isOfOneNode).map(({ name, accessModes }) => {
      const replicas = workload.replicas ? `${workload.replicas.least} replicas` : 'pods on several nodes';
      const ties = nodes.length === 1 ? `, which ties all of them to node ${nodes[0] ?? ''}` : '';
      return `${workload.title} has ${replicas} that share claim ${name} with ${listed(accessModes)}${ties}`;
    });
  });
  return nothingWrong('every claim can be mounted by all pods that share it', complaints);
}

function isOfOneNode({ origin, accessModes }: UsedClaim): boolean {
  return origin === 'claim' && accessModes.length > 0 && !accessModes.some((mode) => SHARED.has(mode));
}

/**
 * An update of one replica that starts the new pod before it ends the old one: on another node the new one waits for the volume, and the
 * old one for it. One sentence for each, completing nothing.
 */
export function updatesThatWait(workloads: readonly ModelWorkload[]): string[] {
  return workloads.flatMap(({ object, title, claims, replicas }) => {
    const strategy = (object['spec'] as { strategy?: { type?: string } } | undefined)?.strategy?.type;
    if (object.kind !== 'Deployment' || strategy === 'Recreate' || replicas?.least !== 1) return [];
    return claims
      .filter(isOfOneNode)
      .map(
        ({ name, accessModes }) =>
          `${title}: an update starts a second pod while the first has claim ${name} with ${listed(accessModes)}; on another node it waits`,
      );
  });
}
