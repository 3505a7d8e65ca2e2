/** Turns the recordings of a run into the per-pod timelines of the report. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Recording } from '../../observe/recorder/recording.ts';
import type { PodTimeline, Report } from '../report/model.ts';

/** One timeline for each namespace that was recorded and saw a pod. */
export async function readTimelines(
  runDirectory: string,
  subjects: Report['subjects'],
): Promise<PodTimeline[]> {
  const directory = join(runDirectory, 'recording');
  const files = await readdir(directory).catch(() => []);
  const timelines: PodTimeline[] = [];
  for (const file of files.filter((f) => f.endsWith('.jsonl')).toSorted()) {
    const recording = await Recording.fromFile(join(directory, file));
    const moments = recording.moments();
    const [first] = moments;
    const last = moments.at(-1);
    if (!first || !last) continue;
    const namespace = file.replace(/\.jsonl$/, '');
    timelines.push({
      suite: subjects.find((s) => namespace.includes(s.suite))?.suite ?? '',
      namespace,
      title: namespace,
      startedAt: first.at,
      endedAt: last.at,
      moments,
    });
  }
  return timelines;
}
