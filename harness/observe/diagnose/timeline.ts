/** The last state changes before a failure, with times. */
import type { KubeEvent } from '../../kube/api/types.ts';
import type { RecordingLike } from '../recorder/recording-like.ts';
import { clip } from '../../core/wording.ts';
import { eventCount, eventTime } from './world.ts';

export interface TimelineEntry {
  afterMs: number;
  text: string;
}

/** What goes without saying in every pod's life. */
const ROUTINE = new Set([
  'Scheduled',
  'Pulled',
  'Created',
  'Started',
  'SuccessfulCreate',
  'ScalingReplicaSet',
]);
const LONGEST = 24;

/** From the recording, whose times are those of arrival, in ms. */
export function timelineOfRecording(
  recording: Pick<RecordingLike, 'moments' | 'changes'>,
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

/** From events alone, whose times are whole seconds. */
export function timelineOfEvents(events: readonly KubeEvent[], since?: number): TimelineEntry[] {
  const sorted = [...events].sort((a, b) => eventTime(a) - eventTime(b));
  const known = sorted.filter((e) => eventTime(e) > 0);
  const first = known[0];
  if (!first) return [];
  const start = since ?? eventTime(first);
  const telling = known.filter(
    (e) => eventTime(e) >= start - 1000 && (e.type === 'Warning' || !ROUTINE.has(e.reason ?? '')),
  );
  const entries = telling.map((e) => {
    const times = eventCount(e) > 1 ? ` ×${eventCount(e)}` : '';
    const text = clip(`${e.involvedObject.name}: ${e.reason ?? ''}${times}: ${e.message ?? ''}`, 160);
    return { afterMs: Math.max(0, eventTime(e) - start), text };
  });
  return shortened(entries);
}

/** Repetitions of the same text become one line with a count. */
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

/** Keeps the last ones: the end is where it went wrong. */
function shortened(entries: TimelineEntry[]): TimelineEntry[] {
  return entries.slice(-LONGEST);
}
