/** Trouble caused by the node, not by the chart. */
import { hasCondition } from '../../../kube/api/objects.ts';
import type { Node, Pod } from '../../../kube/api/types.ts';
import { evictionHint, evictionOf } from './eviction.ts';
import { HINT } from './hints.ts';
import { clip } from '../../../core/wording.ts';
import type { PodTrouble, World } from '../world.ts';
import { RANK } from '../world.ts';

const PRESSURES = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable'];

/** "is not Ready (…)", "has DiskPressure: …"; undefined for a healthy node. */
export function nodeTrouble(node: Node): string | undefined {
  const conditions = node.status?.conditions ?? [];
  const ready = conditions.find((c) => c.type === 'Ready');
  if (ready && ready.status !== 'True') {
    return `is not Ready (${ready.reason ?? ready.status}: ${clip(ready.message ?? 'no message', 120)})`;
  }
  const pressure = conditions.find((c) => PRESSURES.includes(c.type) && c.status === 'True');
  return pressure ? `has ${pressure.type}: ${clip(pressure.message ?? '', 120)}` : undefined;
}

/** Evicted pods, and pods on a node that is not Ready. */
export function explainNode(pod: Pod, world: World): PodTrouble | undefined {
  const node = world.nodes?.find((n) => n.metadata.name === pod.spec.nodeName);
  const trouble = node ? nodeTrouble(node) : undefined;
  const upstream =
    node && trouble !== undefined ? [{ object: `Node ${node.metadata.name}`, says: trouble }] : [];
  const reason = pod.status?.reason;
  const where = pod.spec.nodeName ?? '(none)';
  const eviction = evictionOf(pod, world.events);
  if (eviction !== undefined) {
    return {
      says: `was evicted from node ${where}: ${clip(eviction)}`,
      upstream,
      hint: evictionHint(eviction),
      rank: RANK.node,
    };
  }
  if (pod.status?.phase === 'Failed' && reason !== undefined && reason !== '') {
    return {
      says: `failed on node ${where} (${reason}): ${clip(pod.status.message ?? 'no message')}`,
      upstream,
      rank: RANK.node,
    };
  }
  const ready = hasCondition(pod, 'Ready');
  if (trouble === undefined || !trouble.startsWith('is not Ready') || (ready && reason === undefined))
    return undefined;
  return {
    says: `is on node ${node?.metadata.name ?? ''}, which is not Ready`,
    upstream,
    hint: HINT.node,
    rank: RANK.node,
  };
}
