/** Why a DaemonSet has no pod on any node. */
import { nodeDemand, nodeSelected, taintText, untolerated } from '../../diagnose/node-fit.ts';
import type { Node, PodSpec } from '../../../kube/api/types.ts';

/**
 * Nodes that nearly fit: those that the pods select but whose taints they do not tolerate, and those that have a label of the node selector
 * with another value, or some of its labels. A node without any of them is not meant.
 *
 * @returns one line for each: what the node lacks
 */
export function nearlyFitting(spec: PodSpec, nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => {
    const { name, labels = {} } = node.metadata;
    if (nodeSelected(spec, node)) {
      const taints = untolerated(spec, node);
      // Every pod without tolerations is kept off a control plane.
      if (taints.length === 0 || taints.every(({ key }) => key.startsWith('node-role.kubernetes.io/')))
        return [];
      return [`${name} is selected, but its taint ${taints.map(taintText).join(', ')} is not tolerated`];
    }
    const wanted = Object.entries(spec.nodeSelector ?? {});
    const wrong = wanted.filter(([key, value]) => labels[key] !== value);
    const isNear = wrong.some(([key]) => labels[key] !== undefined) || wrong.length < wanted.length;
    if (!isNear) return [];
    const lacks = wrong.map(([key, value]) => `${key}=${value} (it has ${labels[key] ?? 'no such label'})`);
    return lacks.length === 0 ? [] : [`${name} lacks ${lacks.join(', ')}`];
  });
}

/** What the pods ask of a node, for messages. */
export function demandText(spec: PodSpec): string {
  return nodeDemand(spec) ?? 'any node without a taint that the pods do not tolerate';
}
