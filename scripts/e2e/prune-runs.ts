/** Removes the directories of old runs, so that `runs/` does not grow for ever. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { forgetRun, readRuns, type RunRegistry } from '../../clusters/cleanup/run-lock.ts';
import { RUN_ID } from '../../harness/core/run-id.ts';

/** A directory without any of them is not known to be ours. */
const OUR_FILES = ['report.json', 'run.jsonl'];

export interface PruneOptions extends RunRegistry {
  runsDir: string;
  /** How many directories there are after a new run, the newest; 0: all stay. */
  keep: number;
}

/**
 * Call it at the start of a run. Removes all but the newest directories in `runsDir` that are named like a run and contain its log or
 * report. The name has no year, so the age is that of these files.
 *
 * These stay in any case: the directory of a run in progress, the directory of the last run that used a kept cluster, and that of a killed
 * run until `npm run sweep` has removed what it left.
 *
 * @returns the names of the removed directories
 */
export async function pruneRuns({ keep, ...registry }: PruneOptions): Promise<string[]> {
  if (keep === 0) return [];
  const { runsDir } = registry;
  const records = (await readRuns(registry)).toSorted((a, b) => b.startedAt.localeCompare(a.startedAt));
  const isLastOf = (cluster: string, run: string): boolean =>
    records.find(({ kept }) => kept.includes(cluster))?.run === run;
  const needed = new Set(
    records
      .filter(
        ({ alive, kept, run }) => alive || kept.length === 0 || kept.some((name) => isLastOf(name, run)),
      )
      .map(({ directory }) => resolve(directory)),
  );
  const runs = await findRuns(runsDir);
  const removed: string[] = [];
  // The new run has no log yet, so it is not among them.
  for (const { name } of runs.slice(keep - 1)) {
    const directory = resolve(runsDir, name);
    if (needed.has(directory)) continue;
    await rm(directory, { recursive: true, force: true });
    const record = records.find((one) => resolve(one.directory) === directory);
    if (record) await forgetRun(record, registry);
    removed.push(name);
  }
  return removed;
}

/** Newest first. `latest` is a link, which is never followed. */
async function findRuns(runsDir: string): Promise<{ name: string; changedAt: number }[]> {
  const found: { name: string; changedAt: number }[] = [];
  for (const entry of await readdir(runsDir, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory() || !RUN_ID.test(entry.name)) continue;
    const facts = await Promise.all(
      OUR_FILES.map((file) => lstat(join(runsDir, entry.name, file)).catch(() => undefined)),
    );
    const times = facts.flatMap((fact) => (fact?.isFile() ? fact.mtimeMs : []));
    if (times.length > 0) found.push({ name: entry.name, changedAt: Math.max(...times) });
  }
  return found.toSorted((a, b) => b.changedAt - a.changedAt);
}
