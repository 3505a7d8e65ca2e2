/**
 * Reads the scheduler's one-line summary of why no node fits.
 *
 * Source of the wording: the plugins under pkg/scheduler/framework/plugins of Kubernetes, releases 1.28 to 1.36.
 */

export type SchedulingObstacle =
  | 'insufficient'
  | 'taint'
  | 'node-selector'
  | 'anti-affinity'
  | 'affinity'
  | 'volume-node'
  | 'no-volume'
  | 'unbound-claim'
  | 'missing-claim'
  | 'topology-spread'
  | 'host-port'
  | 'too-many-pods'
  | 'unschedulable'
  | 'other';

export interface SchedulingReason {
  obstacle: SchedulingObstacle;
  /** Nodes that are ruled out by it; undefined where the message gives none, because it rules out all. */
  nodes?: number;
  /** Resource, taint or claim that is named. */
  detail?: string;
  /** As the scheduler wrote it, without the count. */
  text: string;
}

export interface SchedulingRefusal {
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
  // The second: a volume that the scheduler has not heard of yet, though the claim is bound to it.
  [/didn't find available persistent volumes|^persistentvolume "[^"]+" not found/, 'no-volume'],
  [/unbound immediate PersistentVolumeClaims/, 'unbound-claim'],
  [/persistentvolumeclaim "(?<detail>[^"]+)" (?:not found|is being deleted)/, 'missing-claim'],
  [/topology spread constraints/, 'topology-spread'],
  [/free ports/, 'host-port'],
  [/Too many pods/i, 'too-many-pods'],
  [/were unschedulable/, 'unschedulable'],
];

/** @returns undefined when the text is no such summary */
export function parseSchedulerMessage(message: string): SchedulingRefusal | undefined {
  // What follows only repeats, for evicting others or for claimed devices, what the first half says.
  const [verdict = ''] = message.split(/[.,]? (?:no new claims to deallocate|preemption:)/);
  const match = /^(\d+)\/(\d+) nodes are available: (.*?)\.?$/s.exec(verdict.trim());
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

/** Splits at commas, but not within the braces of a taint or the brackets of a list. */
function splitReasons(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i] ?? '';
    if ('{[('.includes(character)) depth += 1;
    if ('}])'.includes(character)) depth -= 1;
    // A sentence end separates reasons too: `… PersistentVolumeClaims. not found`.
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
]);

/** True for what the nodes are, and not for what happens to run on them now: only a change of the cluster could help. */
export function isAboutNodes(reason: SchedulingReason): boolean {
  const passing = /^node\.kubernetes\.io\/(not-ready|unreachable|.*pressure|network-unavailable)/.test(
    reason.detail ?? '',
  );
  return NODE_OBSTACLES.has(reason.obstacle) && !passing;
}
