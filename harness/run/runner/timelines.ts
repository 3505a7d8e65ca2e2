/** Turns the recordings of a run into the timelines of the report. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Recording } from '../../observe/recorder/recording.ts';
import type { PodTimeline, Report } from '../report/model.ts';

/** One timeline for each recorded namespace that had a pod, with the checks that worked in it. */
export async function readTimelines(
  { checks, proofs = [] }: Pick<Report, 'checks' | 'proofs'>,
  runDirectory: string,
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
    const workedHere = ({ namespaces }: { namespaces: readonly string[] }): boolean =>
      namespaces.includes(namespace);
    const own = checks.filter(workedHere);
    const proof = proofs.find(workedHere);
    timelines.push({
      suite: own[0]?.suite ?? proof?.suite ?? '',
      namespace,
      title: proof ? `fault ${proof.fault}` : namespace,
      checks: own.map(({ id }) => id),
      startedAt: first.at,
      endedAt: last.at,
      moments,
    });
  }
  return timelines;
}
