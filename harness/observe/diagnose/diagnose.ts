/** Explains a failed check: reads a namespace and returns chains of causes, a hint and a timeline. */
import type { KubeClient } from '../../kube/api/client.ts';
import type { Recording } from '../recorder/recording.ts';
import type { Cause } from './diagnosis.ts';
import type { Focus } from './explain.ts';
import { explain } from './explain.ts';
import { withGone } from './gone.ts';
import { explainSymptom } from './explain/symptom.ts';
import { readWorld } from './read-world.ts';
import type { TimelineEntry } from './timeline.ts';
import { timelineOfEvents, timelineOfRecording } from './timeline.ts';
import type { Explanation } from './world.ts';
import { RANK } from './world.ts';

interface DiagnoseOptions {
  namespace: string;
  /** What the check saw, in words; it can point at a cause that is no trouble of an object. */
  symptom?: string;
  /** Only these objects and their pods; default: everything in the namespace. */
  focus?: readonly Focus[];
  /** Has what is gone, and the timeline with times in ms; without it the timeline comes from events. */
  recording?: Pick<Recording, 'moments' | 'changes' | 'logOf'>;
  /** Start of the timeline, ms since the epoch; default: the first known entry. */
  since?: number;
}

interface ExplainedFailure {
  /** Chains one after the other, the most upstream first; within a chain each link is caused by the next one, and the root is last. */
  causes: Cause[];
  /** How to fix the root of the first chain. */
  hint?: string;
  timeline: TimelineEntry[];
}

/** Further chains are consequences or noise. */
const MAX_CHAINS = 3;

/** Never throws for missing access; it explains less instead. */
export async function diagnose(kube: KubeClient, options: DiagnoseOptions): Promise<ExplainedFailure> {
  const live = await readWorld(kube, options.namespace);
  const world = options.recording ? withGone(live, options.recording, options.since) : live;
  const chains = [...explain(world, options.focus), ...explainSymptom(options.symptom ?? '', world)];
  const explained = flattenChains(chains.sort((a, b) => b.rank - a.rank));
  const recorded = options.recording ? timelineOfRecording(options.recording, options.since) : [];
  const timeline = recorded.length > 0 ? recorded : timelineOfEvents(world.events, options.since);
  return { ...explained, timeline };
}

/** Flattens the first chains into one list without duplicate links. */
export function flattenChains(explanations: readonly Explanation[]): { causes: Cause[]; hint?: string } {
  // Pods that are still starting count only when nothing else is wrong.
  const problems = explanations.filter((e) => e.rank > RANK.progress);
  const chosen = (problems.length > 0 ? problems : explanations).slice(0, MAX_CHAINS);
  const causes: Cause[] = [];
  for (const link of chosen.flatMap((e) => e.causes)) {
    if (!causes.some((c) => c.object === link.object && c.says === link.says)) causes.push(link);
  }
  const hint = chosen.find((e) => e.hint !== undefined)?.hint;
  return { causes, ...(hint === undefined ? {} : { hint }) };
}
