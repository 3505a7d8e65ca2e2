/** Files of earlier runs outside the engine. */
import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Leftover, LeftoverDeps, Owner } from './leftover.ts';
import { ownsCluster, stateOf } from './leftover.ts';

/** Minimum age to remove a temporary folder without a known owner: another process may be using it. */
const TEMPORARY_AGE_MS = 6 * 60 * 60 * 1000;

/**
 * Finds `kindproof-…` folders under temporary files.
 *
 * `kindproof-shared-<cluster>` is mounted into the nodes of its cluster and has the state of the cluster; `kindproof-<run>-…` has the state
 * of its run. Folders without a known owner are leftovers once they are old.
 */
export async function temporaryFolders(
  deps: LeftoverDeps,
  runs: readonly Owner[],
  containers: readonly Leftover[],
): Promise<Leftover[]> {
  const parent = deps.temporaryDir ?? tmpdir();
  const found: Leftover[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith('kindproof-') || name.startsWith('kindproof-runs-')) continue;
    const path = join(parent, name);
    const facts = await lstat(path).catch(() => undefined);
    if (!facts?.isDirectory() || !isOurs(facts)) continue;
    const cluster = /^kindproof-shared-(.+)$/.exec(name)?.[1];
    const node = containers.find((one) => cluster !== undefined && one.cluster === cluster);
    const owners = runs.filter((run) =>
      cluster === undefined ? name.startsWith(`kindproof-${run.run}-`) : ownsCluster(run, cluster),
    );
    const old = deps.now() - facts.mtimeMs >= TEMPORARY_AGE_MS;
    if (node === undefined && owners.length === 0 && !old) continue;
    const kept = (owner: Owner) =>
      cluster === undefined ? owner.kept.length > 0 : owner.kept.includes(cluster);
    const run = owners[0]?.run;
    found.push({
      kind: 'folder',
      id: path,
      name,
      ...(run === undefined ? {} : { run }),
      ...(cluster === undefined ? {} : { cluster }),
      // Without an owner it is old (see above).
      state: node?.state ?? (owners.length === 0 ? 'stale' : stateOf(owners, kept)),
    });
  }
  return found;
}

function isOurs(facts: Stats): boolean {
  return process.getuid === undefined || facts.uid === process.getuid();
}

/** Kubeconfigs, and the records of runs that were killed or kept a cluster. */
export async function filesOfRuns(runs: readonly Owner[]): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const record of runs) {
    const state = stateOf([record], (owner) => owner.kept.length > 0);
    const { run, directory } = record;
    // A run keeps at most one cluster.
    const cluster = record.kept[0];
    const owner = { run, ...(cluster === undefined ? {} : { cluster }), state };
    for (const name of await readdir(directory).catch(() => [])) {
      if (!/^kubeconfig|\.kubeconfig$/.test(name)) continue;
      found.push({ kind: 'file', id: resolve(directory, name), name: `${run}/${name}`, ...owner });
    }
    found.push({ kind: 'record', id: directory, name: run, ...owner, existing: record.existing });
  }
  return found;
}
