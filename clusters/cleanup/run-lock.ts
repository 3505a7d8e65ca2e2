/**
 * Records of runs: each run records its process, so that a sweep never removes the clusters of a run in progress.
 *
 * The record is stored twice: in the run's directory (`pid`), and in a registry of this user, where a run or sweep of another clone, or
 * after `rm -r runs`, finds it. The registry is in the home folder, because TMPDIR may differ between two runs on one cluster.
 */
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../harness/core/errors.ts';
import { makeOwnFolder, notOwnFolder } from '../../harness/core/own-folder.ts';
import { stateFolder } from '../../harness/core/state-folder.ts';

const recordSchema = z.object({
  run: z.string().regex(/^[\w.-]+$/),
  directory: z.string(),
  pid: z.number().int().positive(),
  /** Start time of the process in clock ticks since boot: distinguishes it from a later process with the same id. */
  processStart: z.string(),
  /** Id of the boot; empty where the system has none. */
  boot: z.string(),
  startedAt: z.string(),
  /** Set when the run has ended and its record stays; its process may go on with another run. */
  endedAt: z.string().optional(),
  /** Clusters that the run uses: its own, or one that an earlier run kept. */
  clusters: z.array(z.string()),
  /** Clusters that stay after the run (--keep, --reuse). */
  kept: z.array(z.string()),
  /** The existing cluster that the run works on (--cluster existing), as the user named it. */
  existing: z.object({ kubeconfig: z.string(), context: z.string() }).optional(),
});

export type RunRecord = z.infer<typeof recordSchema>;

export interface RunRegistry {
  /** The project's `runs` folder. Without it, only the registry is read. */
  runsDir?: string | undefined;
  /** Default: `defaultRegistries`, of which all are read. */
  registryDir?: string | undefined;
}

export interface RunLock {
  /**
   * Protects a cluster from sweeps for the lifetime of this process. Call it before the cluster is created.
   *
   * @throws UsageError `E_CLUSTER_BUSY` when another run in progress uses it: the two would repair each other's changes to nodes
   */
  useCluster(name: string): Promise<void>;
  /** Records the existing cluster, on which a killed run leaves things. `kubeconfig`: of the user. */
  useExisting(cluster: { kubeconfig: string; context: string }): Promise<void>;
  /** Marks a cluster as kept: only `sweep --all` and `sweep --run` remove it. */
  keepCluster(name: string): Promise<void>;
  /** Whether the record stays after the run's end, so that a sweep knows the owner of what is still there. */
  keepRecord(stays: boolean): void;
  /** Ends the run and removes its record, unless it kept a cluster or something is left of it. */
  release(): Promise<void>;
}

/**
 * Records that this process runs in `directory`.
 *
 * @param options.run the run's id; default: the last part of `directory`
 * @throws UsageError `E_RUN_DIRECTORY_BUSY` when another run in progress uses the directory; InfrastructureError `E_FOREIGN_FOLDER` when
 *   another user may have written the registry
 */
export async function acquireRunLock(
  directory: string,
  options: { run?: string; registryDir?: string } = {},
): Promise<RunLock> {
  const path = resolve(directory);
  const previous = await readRecord(join(path, 'pid'));
  if (previous && previous.pid !== process.pid && (await isRecordAlive(previous))) {
    throw new UsageError('E_RUN_DIRECTORY_BUSY', `process ${previous.pid} is running in ${path}`, {
      hint: 'wait for it, or choose another directory with --out',
    });
  }
  const record: RunRecord = recordSchema.parse({
    run: options.run ?? basename(path),
    directory: path,
    pid: process.pid,
    processStart: (await processStart(process.pid)) ?? '',
    boot: await bootId(),
    startedAt: new Date().toISOString(),
    clusters: [],
    kept: [],
  });
  await mkdir(path, { recursive: true });
  const registryDir = await makeRegistry(registriesOf(options));
  const files = [join(path, 'pid'), join(registryDir, record.run)];
  const save = async () => {
    for (const file of files) await writeAtomically(file, `${JSON.stringify(record)}\n`);
  };
  await save();
  let recordStays = false;
  return {
    useCluster: async (name) => {
      if (!record.clusters.includes(name)) record.clusters.push(name);
      await save();
      // Reads the others after writing its own record: of two runs that start together, at least one finds the other and withdraws.
      const first = (await readRuns({ registryDir: options.registryDir })).find(
        (other) => other.alive && other.run !== record.run && other.clusters.includes(name),
      );
      if (!first) return;
      record.clusters = record.clusters.filter((cluster) => cluster !== name);
      await save();
      throw new UsageError(
        'E_CLUSTER_BUSY',
        `cluster ${name} is in use by run ${first.run} (process ${first.pid})`,
        {
          hint: 'wait for it, or use a second cluster: KINDPROOF_DESK=two npm run e2e -- …',
        },
      );
    },
    useExisting: async ({ kubeconfig, context }) => {
      record.existing = { kubeconfig: resolve(kubeconfig), context };
      await save();
    },
    keepCluster: async (name) => {
      if (!record.kept.includes(name)) record.kept.push(name);
      await save();
    },
    keepRecord: (stays) => {
      recordStays = stays;
    },
    release: async () => {
      if (recordStays || record.kept.length > 0) {
        record.endedAt = new Date().toISOString();
        await save();
        return;
      }
      for (const file of files) await rm(file, { force: true });
    },
  };
}

/** Whether the run is in progress; false for a run without a record. */
export async function isAlive(run: string, registry: RunRegistry = {}): Promise<boolean> {
  return (await readRuns(registry)).some((record) => record.run === run && record.alive);
}

/** All recorded runs. `alive`: the run has not ended, and its process still exists. */
export async function readRuns(registry: RunRegistry = {}): Promise<(RunRecord & { alive: boolean })[]> {
  const files: string[] = [];
  for (const registryDir of registriesOf(registry)) {
    // A record of another user could name any folder, and a sweep removes the kubeconfigs in it.
    if ((await notOwnFolder(registryDir)) !== undefined) continue;
    files.push(...(await namesIn(registryDir)).map((name) => join(registryDir, name)));
  }
  const { runsDir } = registry;
  if (runsDir !== undefined) {
    files.push(...(await namesIn(runsDir)).map((name) => join(resolve(runsDir), name, 'pid')));
  }
  // `runs/latest` and the two copies of a record are the same run; the first one wins.
  const runs = new Map<string, RunRecord & { alive: boolean }>();
  for (const file of files) {
    const record = await readRecord(file);
    if (!record || runs.has(`${record.run} ${record.directory}`)) continue;
    runs.set(`${record.run} ${record.directory}`, { ...record, alive: await isRecordAlive(record) });
  }
  return [...runs.values()];
}

/** Removes the record of an ended run. */
export async function forgetRun(record: RunRecord, registry: RunRegistry = {}): Promise<void> {
  await rm(join(record.directory, 'pid'), { force: true });
  for (const folder of registriesOf(registry)) await rm(join(folder, record.run), { force: true });
}

function registriesOf({ registryDir }: RunRegistry): string[] {
  return registryDir === undefined ? defaultRegistries() : [registryDir];
}

/**
 * In order of preference. The second is for accounts without a home folder that they can write to. The first has the name of the machine:
 * several may share a home folder, and each knows only its own processes.
 */
function defaultRegistries(): string[] {
  return [
    join(stateFolder(process.env), `runs-${hostname()}`),
    join(tmpdir(), `kindproof-runs-${process.getuid?.() ?? 'user'}`),
  ];
}

/** Creates the first registry that can be created. @throws InfrastructureError `E_FOREIGN_FOLDER` of the last one */
async function makeRegistry(folders: readonly string[]): Promise<string> {
  const [first = '', ...others] = folders;
  try {
    await mkdir(dirname(first), { recursive: true, mode: 0o700 });
    await makeOwnFolder(first, 0o700);
    return first;
  } catch (error) {
    if (others.length === 0) throw error;
    return makeRegistry(others);
  }
}

async function isRecordAlive(record: RunRecord): Promise<boolean> {
  if (record.endedAt !== undefined) return false;
  if (record.boot !== (await bootId())) return false;
  if (record.processStart !== '') return (await processStart(record.pid)) === record.processStart;
  try {
    process.kill(record.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)); `undefined` without the process or without /proc. */
async function processStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name, which can contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

async function readRecord(file: string): Promise<RunRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}

/** Replaces a file atomically. */
async function writeAtomically(file: string, text: string): Promise<void> {
  const fresh = `${file}.${process.pid}.new`;
  await writeFile(fresh, text, { mode: 0o600 });
  await rename(fresh, file);
}
