/** The last state changes before a failure. */
import type { KubeEvent } from '../../kube/api/types.ts';
import type { Recording } from '../recorder/recording.ts';
import { clip } from '../../core/wording.ts';
import { eventCount } from '../recorder/events.ts';
import { eventTime } from './world.ts';

export interface TimelineEntry {
  afterMs: number;
  text: string;
}

/** Events of every pod, left out. */
const ROUTINE = new Set([
  'Scheduled',
  'Pulled',
  'Created',
  'Started',
  'SuccessfulCreate',
  'ScalingReplicaSet',
]);
const MAX_ENTRIES = 24;

/** From the recording, with times of arrival in ms. */
export function timelineOfRecording(
  recording: Pick<Recording, 'moments' | 'changes'>,
  since?: number,
): TimelineEntry[] {
  const moments = recording.moments();
  const start = since ?? recording.changes[0]?.at ?? moments[0]?.at ?? 0;
  const entries = moments
    .filter((m) => m.at >= start)
    .map((m) => ({
      afterMs: m.at - start,
      text: clip(`${m.pod}${m.container === undefined ? '' : `/${m.container}`}: ${m.text}`, 160),
    }));
  return shortened(merged(entries));
}

/** From events alone, with times in whole seconds. */
export function timelineOfEvents(events: readonly KubeEvent[], since?: number): TimelineEntry[] {
  const sorted = [...events].sort((a, b) => eventTime(a) - eventTime(b));
  const known = sorted.filter((e) => eventTime(e) > 0);
  const first = known[0];
  if (!first) return [];
  const start = since ?? eventTime(first);
  const relevant = known.filter(
    (e) => eventTime(e) >= start - 1000 && (e.type === 'Warning' || !ROUTINE.has(e.reason ?? '')),
  );
  const entries = relevant.map((e) => {
    const times = eventCount(e) > 1 ? ` ×${eventCount(e)}` : '';
    const text = clip(`${e.involvedObject.name}: ${e.reason ?? ''}${times}: ${e.message ?? ''}`, 160);
    return { afterMs: Math.max(0, eventTime(e) - start), text };
  });
  return shortened(entries);
}

/** Merges repetitions of a text into one entry with a count. */
function merged(entries: readonly TimelineEntry[]): TimelineEntry[] {
  const found = new Map<string, { entry: TimelineEntry; times: number }>();
  for (const entry of entries) {
    const known = found.get(entry.text);
    if (known) known.times += 1;
    else found.set(entry.text, { entry, times: 1 });
  }
  return [...found.values()].map(({ entry, times }) =>
    times === 1 ? entry : { ...entry, text: `${entry.text} ×${times}` },
  );
}

/** Keeps the last entries: they are closest to the failure. */
function shortened(entries: TimelineEntry[]): TimelineEntry[] {
  return entries.slice(-MAX_ENTRIES);
}
