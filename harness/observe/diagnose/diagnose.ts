/** Why did it fail: reads a namespace, explains it, tells it in the order in which a person would ask. */
import type { KubeClient } from '../../kube/api/client.ts';
import type { Cause } from './diagnosis.ts';
import type { Focus } from './explain.ts';
import { explain } from './explain.ts';
import { readWorld } from './read-world.ts';
import type { RecordingLike } from '../recorder/recording-like.ts';
import type { TimelineEntry } from './timeline.ts';
import { timelineOfEvents, timelineOfRecording } from './timeline.ts';
import type { Explanation } from './world.ts';
import { RANK } from './world.ts';

export interface DiagnoseOptions {
  namespace: string;
  /** Only these objects and what hangs on them; default: everything in the namespace. */
  focus?: readonly Focus[];
  /** Gives the timeline its milliseconds. */
  recording?: Pick<RecordingLike, 'moments' | 'changes'>;
  /** Start of the timeline, ms since the epoch; default: the first thing that is known. */
  since?: number;
}

export interface DiagnosisResult {
  /**
   * Chains one after the other, the weightiest first; within a chain each link is the cause of the one before, the root last.
   */
  causes: Cause[];
  /** What to do about the root of the first chain. */
  hint?: string;
  timeline: TimelineEntry[];
}

/** Chains beyond these are consequences or noise. */
const MOST_CHAINS = 3;

/** Never throws for what it may not read; it says less instead. */
export async function diagnose(kube: KubeClient, options: DiagnoseOptions): Promise<DiagnosisResult> {
  const world = await readWorld(kube, options.namespace);
  const told = tell(explain(world, options.focus));
  const recorded = options.recording ? timelineOfRecording(options.recording, options.since) : [];
  const timeline = recorded.length > 0 ? recorded : timelineOfEvents(world.events, options.since);
  return { ...told, timeline };
}

/** Flattens chains into one list, in which no link stands twice. */
export function tell(explanations: readonly Explanation[]): { causes: Cause[]; hint?: string } {
  // What is still on its way is worth a word only when nothing is known to be wrong.
  const firm = explanations.filter((e) => e.rank > RANK.progress);
  const chosen = (firm.length > 0 ? firm : explanations).slice(0, MOST_CHAINS);
  const causes: Cause[] = [];
  for (const link of chosen.flatMap((e) => e.causes)) {
    if (!causes.some((c) => c.object === link.object && c.says === link.says)) causes.push(link);
  }
  const hint = chosen.find((e) => e.hint !== undefined)?.hint;
  return { causes, ...(hint === undefined ? {} : { hint }) };
}
