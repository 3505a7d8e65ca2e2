/**
 * Parses the scheduler's one-line summary of why no node fits.
 *
 * Source of the wording: the plugins under pkg/scheduler/framework/plugins of Kubernetes, releases 1.28 to 1.36.
 */

type SchedulingObstacle =
  | 'insufficient'
  | 'taint'
  | 'node-selector'
  | 'anti-affinity'
  | 'affinity'
  | 'volume-node'
  | 'no-volume'
  | 'unbound-claim'
  | 'missing-claim'
  | 'topology-label'
  | 'topology-spread'
  | 'host-port'
  | 'too-many-pods'
  | 'unschedulable'
  | 'other';

export interface SchedulingReason {
  obstacle: SchedulingObstacle;
  /** Number of nodes that it rules out; undefined when the message has no number, because it rules out all. */
  nodes?: number;
  /** Named resource, taint or claim. */
  detail?: string;
  /** As the scheduler wrote it, without the count. */
  text: string;
}

interface SchedulingRefusal {
  available: number;
  total: number;
  reasons: SchedulingReason[];
}

const PATTERNS: readonly [RegExp, SchedulingObstacle][] = [
  [/^Insufficient (?<detail>\S+)/, 'insufficient'],
  [/untolerated taint(?:\(s\))?(?: \{(?<detail>[^}]*)\})?/, 'taint'],
  [/didn't match Pod's node affinity\/selector|didn't match node selector/i, 'node-selector'],
  [/anti-affinity/, 'anti-affinity'],
  [/didn't match pod affinity/i, 'affinity'],
  [/volume node affinity conflict|PersistentVolume's node affinity/, 'volume-node'],
  // The second alternative: the claim is bound to a volume that the scheduler does not know yet.
  [/didn't find available persistent volumes|^persistentvolume "[^"]+" not found/, 'no-volume'],
  [/unbound immediate PersistentVolumeClaims/, 'unbound-claim'],
  [/persistentvolumeclaim "(?<detail>[^"]+)" (?:not found|is being deleted)/, 'missing-claim'],
  [/topology spread constraints \(missing required label\)/, 'topology-label'],
  [/topology spread constraints/, 'topology-spread'],
  [/free ports/, 'host-port'],
  [/Too many pods/i, 'too-many-pods'],
  [/were unschedulable/, 'unschedulable'],
];

/** @returns undefined for any other text */
export function parseSchedulerMessage(message: string): SchedulingRefusal | undefined {
  // The rest repeats the first part for preemption or for claimed devices.
  const [summary = ''] = message.split(/[.,]? (?:no new claims to deallocate|preemption:)/);
  const match = /^(\d+)\/(\d+) nodes are available: (.*?)\.?$/s.exec(summary.trim());
  if (!match) return undefined;
  return {
    available: Number(match[1]),
    total: Number(match[2]),
    reasons: splitReasons(match[3] ?? '').map(parseReason),
  };
}

function parseReason(part: string): SchedulingReason {
  const match = /^(\d+) (?:node\(s\) )?(.*)$/s.exec(part);
  const text = (match?.[2] ?? part).trim();
  const nodes = match ? { nodes: Number(match[1]) } : {};
  for (const [pattern, obstacle] of PATTERNS) {
    const found = pattern.exec(text);
    if (!found) continue;
    const detail = found.groups?.['detail']?.replace(/: $/, '').replace(': ', '=').trim();
    return { obstacle, ...nodes, ...(detail === undefined ? {} : { detail }), text };
  }
  return { obstacle: 'other', ...nodes, text };
}

/** Splits at commas, but not inside the braces of a taint or the brackets of a list. */
function splitReasons(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i] ?? '';
    if ('{[('.includes(character)) depth += 1;
    if ('}])'.includes(character)) depth -= 1;
    if (depth === 0 && character === ',' && text[i + 1] === ' ') {
      parts.push(text.slice(start, i));
      start = i + 2;
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

const NODE_OBSTACLES: ReadonlySet<SchedulingObstacle> = new Set([
  'taint',
  'node-selector',
  'volume-node',
  'missing-claim',
  'topology-label',
]);

/** True for properties of the nodes themselves, not for pods that run on them: only a change of the cluster could help. */
export function isAboutNodes(reason: SchedulingReason): boolean {
  const passing = /^node\.kubernetes\.io\/(not-ready|unreachable|.*pressure|network-unavailable)/.test(
    reason.detail ?? '',
  );
  return NODE_OBSTACLES.has(reason.obstacle) && !passing;
}
