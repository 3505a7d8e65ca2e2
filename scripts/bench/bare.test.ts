import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../harness/core/errors.ts';
import { sampleReport } from '../../harness/testing/sample-report.ts';
import { bareReport } from './bare.ts';

let runs: string;

beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'kindproof-runs-'));
});

afterEach(() => rm(runs, { recursive: true, force: true }));

async function addRun(id: string, exitCode: number, clusterMs: number): Promise<void> {
  const { run } = sampleReport();
  const phases = [
    { name: 'cluster', startedAt: run.startedAt, durationMs: clusterMs, status: 'passed' as const },
  ];
  await mkdir(join(runs, id));
  const report = sampleReport({ run: { ...run, id, exitCode }, phases });
  await writeFile(join(runs, id, 'report.json'), JSON.stringify(report));
}

describe('bareReport', () => {
  it('returns the passed run with the longest preparation', async () => {
    await addRun('warm', 0, 40_000);
    await addRun('cold', 0, 900_000);
    await addRun('failed', 3, 1_800_000);
    await mkdir(join(runs, 'unfinished'));
    await symlink('warm', join(runs, 'latest'));
    expect((await bareReport(true, runs)).run.id).toBe('cold');
  });

  it('returns the named run, also a failed one', async () => {
    await addRun('failed', 3, 1000);
    expect((await bareReport(join(runs, 'failed'), runs)).run.id).toBe('failed');
  });

  it.each([
    ['no run passed', true as const],
    ['the named folder has no report', 'nowhere'],
  ])('throws UsageError when %s', async (_case, bare) => {
    await expect(bareReport(bare, runs)).rejects.toThrow(UsageError);
  });
});
