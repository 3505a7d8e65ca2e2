/** Why a DaemonSet has no pod on any node. */
import { demandsOf, nodeDemand, nodeSelected, taintText, tolerationText, untolerated } from './node-fit.ts';
import type { Node, PodSpec, Workload } from '../../kube/api/types.ts';
import type { Explanation } from './world.ts';
import { RANK } from './world.ts';
import { HINT } from './explain/hints.ts';

interface NearNode {
  name: string;
  /** Completes the sentence that starts with the name of the node. */
  lacks: string;
}

/** Labels that every node has: to have one of them is no sign that a node is meant. */
const COMMON_LABEL = /^(?:beta\.)?kubernetes\.io\/(?:os|arch|hostname)$/;

/**
 * Nodes that nearly fit: those that the pods select but whose taints they do not tolerate, and those that have a wanted label with another
 * value, or some of the wanted labels. A node without any of them is not meant.
 */
export function nearlyFitting(spec: PodSpec, nodes: readonly Node[]): NearNode[] {
  return nodes.flatMap((node) => {
    const { name, labels = {} } = node.metadata;
    if (nodeSelected(spec, node)) {
      const taints = untolerated(spec, node);
      // Every pod without tolerations is kept off a control plane.
      if (taints.length === 0 || taints.every(({ key }) => key.startsWith('node-role.kubernetes.io/')))
        return [];
      const keys = new Set(taints.map(({ key }) => key));
      const others = (spec.tolerations ?? []).filter(({ key }) => key !== undefined && keys.has(key));
      const although =
        others.length === 0
          ? ''
          : ` (the toleration ${others.map(tolerationText).join(', ')} does not cover it)`;
      return [
        {
          name,
          lacks: `is selected, but its taint ${taints.map(taintText).join(', ')} is not tolerated${although}`,
        },
      ];
    }
    const demands = demandsOf(spec, node);
    const wrong = demands.filter(({ isMet }) => !isMet);
    const isNear = demands.some(
      ({ key, isMet }) => labels[key] !== undefined && !(isMet && COMMON_LABEL.test(key)),
    );
    if (!isNear || wrong.length === 0) return [];
    const texts = wrong.map(({ key, text }) => `${text} (it has ${labels[key] ?? 'no such label'})`);
    return [{ name, lacks: `lacks ${texts.join(', ')}` }];
  });
}

/** What the pods ask of a node, for messages. */
export function demandText(spec: PodSpec): string {
  return nodeDemand(spec) ?? 'any node without a taint that the pods do not tolerate';
}

/** `wants pods on 0 of 3 nodes; it asks for gpu=true`, for a DaemonSet that is rolled out without a pod. */
export function wantsNone(
  { kind, metadata, spec, status }: Workload,
  nodes: readonly Node[],
): string | undefined {
  const isSeen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  if (kind !== 'DaemonSet' || !isSeen || (status?.desiredNumberScheduled ?? 0) > 0) return undefined;
  return `wants pods on 0 of ${nodes.length} nodes; it asks for ${demandText(spec.template.spec)}`;
}

/** A DaemonSet that wants no pod although nodes nearly fit. Where no node is meant, it may be for another cluster. */
export function explainNoNodes(daemonSet: Workload, nodes: readonly Node[] = []): Explanation | undefined {
  const says = wantsNone(daemonSet, nodes);
  if (says === undefined) return undefined;
  const near = nearlyFitting(daemonSet.spec.template.spec, nodes);
  const object = `DaemonSet ${daemonSet.metadata.name}`;
  return {
    causes: [
      { object, says },
      ...near.slice(0, 3).map(({ name, lacks }) => ({ object: `Node ${name}`, says: lacks })),
    ],
    hint: near.length === 0 ? undefined : HINT.wantsNoNode,
    rank: near.length === 0 ? RANK.progress : RANK.unscheduled,
  };
}
