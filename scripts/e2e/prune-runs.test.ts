import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { acquireRunLock } from '../../clusters/cleanup/run-lock.ts';
import { pruneRuns } from './prune-runs.ts';

let root: string;
let runsDir: string;
let registryDir: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kindproof-prune-'));
  onTestFinished(() => rm(root, { recursive: true }));
  runsDir = join(root, 'runs');
  registryDir = join(root, 'registry');
  await mkdir(runsDir);
});

/** Creates the directory of a run that ended some minutes ago. */
async function run(name: string, minutesAgo: number, file = 'report.json'): Promise<string> {
  const directory = join(runsDir, name);
  await mkdir(join(directory, 'recording'), { recursive: true });
  await writeFile(join(directory, file), '{}');
  const time = new Date(Date.UTC(2026, 0, 2) - minutesAgo * 60_000);
  await utimes(join(directory, file), time, time);
  return directory;
}

/** Before a new run, so that this many of the others stay. */
const prune = (others: number) => pruneRuns({ runsDir, registryDir, keep: others + 1 });
const left = async () => (await readdir(runsDir)).sort();

it('keeps the newest directories, also over the turn of the year', async () => {
  await run('1231-2359-aaa', 40);
  await run('1231-1200-bbb', 700, 'run.jsonl');
  await run('0101-0010-ccc', 30);
  await run('0101-0020-ddd', 20);
  expect(await prune(2)).toEqual(['1231-2359-aaa', '1231-1200-bbb']);
  expect(await left()).toEqual(['0101-0010-ccc', '0101-0020-ddd']);
});

it('keeps all with 0, and needs no folder', async () => {
  await run('0101-0010-ccc', 30);
  expect(await pruneRuns({ runsDir, registryDir, keep: 0 })).toEqual([]);
  expect(await pruneRuns({ runsDir: join(root, 'none'), registryDir, keep: 1 })).toEqual([]);
  expect(await left()).toEqual(['0101-0010-ccc']);
});

it('removes nothing that is not the directory of a run', async () => {
  await run('0101-0000-new', 0);
  await run('0101-0000-old', 50);
  // Without a log or a report, under another name, a link, a file.
  await mkdir(join(runsDir, '0101-0000-aaa'));
  await run('my-results', 60);
  await run('0101-0000-old.bak', 60);
  const outside = join(root, 'elsewhere');
  await mkdir(outside);
  await writeFile(join(outside, 'report.json'), '{}');
  await symlink(outside, join(runsDir, '0101-0000-lnk'));
  await symlink('0101-0000-new', join(runsDir, 'latest'));
  await writeFile(join(runsDir, '0101-0000-fil'), '');
  const before = await left();
  expect(await prune(1)).toEqual(['0101-0000-old']);
  expect(await left()).toEqual(before.filter((name) => name !== '0101-0000-old'));
  expect(await readdir(outside)).toEqual(['report.json']);
});

it('keeps the directory of a run in progress', async () => {
  const directory = await run('0101-0000-old', 50);
  await run('0101-0000-new', 0);
  const lock = await acquireRunLock(directory, { registryDir });
  expect(await prune(1)).toEqual([]);
  await lock.release();
  expect(await prune(1)).toEqual(['0101-0000-old']);
});

/** The record of a run whose process has ended. */
async function ended(name: string, minutesAgo: number, kept: string[]): Promise<void> {
  const directory = await run(name, minutesAgo);
  const lock = await acquireRunLock(directory, { registryDir });
  for (const cluster of kept) await lock.keepCluster(cluster);
  const record = join(registryDir, name);
  const text = JSON.parse(await readFile(record, 'utf8')) as Record<string, unknown>;
  const startedAt = new Date(Date.UTC(2026, 0, 2) - minutesAgo * 60_000).toISOString();
  const changed = JSON.stringify({ ...text, boot: 'an earlier boot', startedAt });
  for (const file of [record, join(directory, 'pid')]) await writeFile(file, changed);
}

it('keeps the last run of each kept cluster, and killed runs until they are swept', async () => {
  await ended('0101-0000-aaa', 60, ['kp-desk']);
  await ended('0101-0000-bbb', 50, ['kp-desk']);
  await ended('0101-0000-ccc', 40, ['kp-desk-gpu']);
  await ended('0101-0000-kil', 30, []);
  await run('0101-0000-new', 0);
  expect(await prune(1)).toEqual(['0101-0000-aaa']);
  expect(await readdir(registryDir)).not.toContain('0101-0000-aaa');
  expect(await left()).toEqual(['0101-0000-bbb', '0101-0000-ccc', '0101-0000-kil', '0101-0000-new']);
});
