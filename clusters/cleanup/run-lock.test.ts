import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { acquireRunLock, forgetRun, isAlive, readRuns } from './run-lock.ts';

let folder: string;
let registryDir: string;
let runsDir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kp-unit-'));
  registryDir = join(folder, 'registry');
  runsDir = join(folder, 'runs');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const acquire = (id: string) => acquireRunLock(join(runsDir, id), { registryDir });

/** Rewrites a record as if a process that no longer exists had left it. */
async function leaveBehind(id: string, changes: object): Promise<void> {
  for (const file of [join(runsDir, id, 'pid'), join(registryDir, id)]) {
    const record = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...record, ...changes }));
  }
}

describe('a run lock', () => {
  it('marks the run as alive, in its directory and in the registry', async () => {
    await acquire('r1');
    expect(await isAlive('r1', { registryDir })).toBe(true);
    expect(await isAlive('r1', { runsDir, registryDir: join(folder, 'none') })).toBe(true);
    expect(await isAlive('r2', { registryDir, runsDir })).toBe(false);
  });

  it('stays alive when its directory is removed', async () => {
    await acquire('r1');
    await rm(runsDir, { recursive: true });
    expect(await isAlive('r1', { registryDir, runsDir })).toBe(true);
  });

  it.each([
    ['another process with its number', { processStart: '1' }],
    ['no process with its number', { pid: 4_194_999 }],
    ['a later boot', { boot: 'another' }],
  ])('is dead with %s', async (_, changes) => {
    await acquire('r1');
    await leaveBehind('r1', changes);
    expect(await isAlive('r1', { registryDir, runsDir })).toBe(false);
  });

  it('removes its records on release', async () => {
    const lock = await acquire('r1');
    await lock.release();
    expect(await readRuns({ registryDir, runsDir })).toEqual([]);
  });

  it('records clusters in use, and keeps the record of kept clusters after release', async () => {
    const lock = await acquire('r1');
    await lock.useCluster('kp-r0');
    await lock.keepCluster('kp-r0');
    await lock.release();
    expect(await readRuns({ registryDir, runsDir })).toMatchObject([
      { run: 'r1', clusters: ['kp-r0'], kept: ['kp-r0'] },
    ]);
  });

  it('rejects a cluster that another run in progress uses', async () => {
    const first = await acquire('r1');
    await first.useCluster('kp-desk');
    const second = await acquire('r2');
    await expect(second.useCluster('kp-desk')).rejects.toMatchObject({
      code: 'E_CLUSTER_BUSY',
      exitCode: 2,
      message: expect.stringContaining('in use by run r1') as string,
    });
    await second.useCluster('kp-desk-two');
    expect((await readRuns({ registryDir })).find((run) => run.run === 'r2')?.clusters).toEqual([
      'kp-desk-two',
    ]);
    await leaveBehind('r1', { pid: 4_194_999 });
    await second.useCluster('kp-desk');
  });

  it('gives a kept cluster to the next run of the same process', async () => {
    const first = await acquire('r1');
    await first.useCluster('kp-desk');
    await first.keepCluster('kp-desk');
    await first.release();
    expect(await readRuns({ registryDir, runsDir })).toMatchObject([{ run: 'r1', alive: false }]);
    const second = await acquire('r2');
    await second.useCluster('kp-desk');
  });

  it.each([
    ['earlier', '2026-01-01T00:00:00.000Z'],
    ['later', '2999-01-01T00:00:00.000Z'],
  ])('rejects a cluster that a run uses which was started %s', async (_, startedAt) => {
    const first = await acquire('r1');
    await first.useCluster('kp-desk');
    await leaveBehind('r1', { startedAt });
    const second = await acquire('r2');
    await expect(second.useCluster('kp-desk')).rejects.toMatchObject({ code: 'E_CLUSTER_BUSY' });
  });

  it('gives a cluster to at most one of many runs that ask at the same time', async () => {
    const runs = await Promise.all(['r1', 'r2', 'r3', 'r4', 'r5'].map((id) => acquire(id)));
    const asked = await Promise.allSettled(runs.map((run) => run.useCluster('kp-desk')));
    expect(asked.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  });

  it('stays on record after its end while something of it is left', async () => {
    const lock = await acquire('r1');
    lock.keepRecord(true);
    await lock.release();
    expect(await readRuns({ registryDir })).toHaveLength(1);
    lock.keepRecord(false);
    await lock.release();
    expect(await readRuns({ registryDir })).toEqual([]);
  });

  it('rejects a directory that another process uses', async () => {
    await acquire('r1');
    const parent = process.ppid;
    const start = (await readFile(`/proc/${parent}/stat`, 'utf8')).split(') ')[1]?.split(' ')[19];
    await leaveBehind('r1', { pid: parent, processStart: start });
    await expect(acquire('r1')).rejects.toMatchObject({ code: 'E_RUN_DIRECTORY_BUSY', exitCode: 2 });
  });

  it('takes over the directory of a killed run', async () => {
    await acquire('r1');
    await leaveBehind('r1', { pid: 4_194_999 });
    await acquire('r1');
    expect(await isAlive('r1', { registryDir, runsDir })).toBe(true);
  });

  it('is readable only by its user', async () => {
    await acquire('r1');
    expect((await stat(join(registryDir, 'r1'))).mode & 0o777).toBe(0o600);
  });

  it('trusts no registry that another user may have written', async () => {
    await acquire('r1');
    const link = join(folder, 'link');
    await symlink(registryDir, link);
    expect(await readRuns({ registryDir: link })).toEqual([]);
    await expect(acquireRunLock(join(runsDir, 'r2'), { registryDir: link })).rejects.toMatchObject({
      code: 'E_FOREIGN_FOLDER',
    });
  });

  it('ignores files that are not records', async () => {
    await mkdir(join(runsDir, 'r1'), { recursive: true });
    await writeFile(join(runsDir, 'r1', 'pid'), '{"pid":');
    expect(await readRuns({ registryDir, runsDir })).toEqual([]);
  });
});

describe('the records of a user', () => {
  const acquireHere = (id: string) => acquireRunLock(join(runsDir, id));

  beforeEach(async () => {
    vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'));
    for (const name of ['a', 'b']) await mkdir(join(folder, name));
    vi.stubEnv('TMPDIR', join(folder, 'a'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('are seen by runs and sweeps with another TMPDIR', async () => {
    const first = await acquireHere('r1');
    await first.useCluster('kp-desk');

    vi.stubEnv('TMPDIR', join(folder, 'b'));
    const second = await acquireHere('r2');
    await expect(second.useCluster('kp-desk')).rejects.toMatchObject({ code: 'E_CLUSTER_BUSY' });
    expect(await isAlive('r1')).toBe(true);

    await first.release();
    await second.useCluster('kp-desk');
  });

  it('are not those of another machine that shares the home folder: its processes are unknown here', async () => {
    const elsewhere = join(folder, 'state', 'kindproof', 'runs-another-machine');
    await acquireRunLock(join(runsDir, 'r1'), { registryDir: elsewhere });
    await rm(runsDir, { recursive: true });
    expect(await readRuns()).toEqual([]);
  });

  it('are under temporary files when there is no home folder to write to', async () => {
    await writeFile(join(folder, 'state'), 'a file');
    const lock = await acquireHere('r1');
    expect(await readRuns()).toMatchObject([{ run: 'r1', alive: true }]);
    await lock.release();
    expect(await readRuns()).toEqual([]);
  });

  it('are found under temporary files by a run that has a home folder', async () => {
    vi.stubEnv('XDG_STATE_HOME', join(folder, 'file'));
    await writeFile(join(folder, 'file'), 'a file');
    const first = await acquireHere('r1');
    await first.useCluster('kp-desk');
    vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'));
    const second = await acquireHere('r2');
    await expect(second.useCluster('kp-desk')).rejects.toMatchObject({ code: 'E_CLUSTER_BUSY' });
  });

  it('are forgotten in both places', async () => {
    await acquireHere('r1');
    for (const record of await readRuns()) await forgetRun(record);
    expect(await readRuns({ runsDir })).toEqual([]);
  });
});
