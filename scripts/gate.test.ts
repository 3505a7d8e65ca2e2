import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunPlan } from '../harness/run/plan/plan.ts';
import { sampleCheck, sampleMisfit, sampleReport, sampleWarning } from '../harness/testing/sample-report.ts';
import { temporaryFolder } from '../harness/testing/temporary-folder.ts';
import { run } from './e2e.ts';
import { main } from './gate.ts';

// The real one creates a cluster.
vi.mock(import('./e2e.ts'), async (original) => ({ ...(await original()), run: vi.fn() }));

let written: string;

beforeEach(() => {
  written = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written += String(text);
      return true;
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('npm run gate', () => {
  it.each([
    [[], '--suite'],
    [['--suite', 'tolman'], 'Did you mean "toolman"?'],
    [['--suite', 'toolman', '--chart', 'no/such/chart'], 'there is no chart at no/such/chart'],
    [['--suite', 'toolman', '--reuse'], '--reuse'],
  ])('rejects %j before creating anything', async (argv, says) => {
    expect(await main(argv)).toBe(2);
    expect(written).toContain(says);
  });

  it('prints help', async () => {
    expect(await main(['--help'])).toBe(0);
    expect(written).toContain('do not release: why');
  });
});

describe('the decision', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  const gate = () => main(['--suite', 'toolman', '--no-prove', '--out', folder]);
  const evidence = () => readFile(join(folder, 'evidence.json'), 'utf8');

  /** A run that fails one check. */
  function reportOf({ runId }: Pick<RunPlan, 'runId'>) {
    const report = sampleReport({ checks: [sampleCheck({ status: 'failed', reason: 'no probe' })] });
    const plan = { checks: report.checks, proofs: [] };
    const now = new Date().toISOString();
    return { ...report, proofs: [], plan, run: { ...report.run, id: runId, startedAt: now, exitCode: 1 } };
  }

  it('is about the report of the run', async () => {
    vi.mocked(run).mockImplementation(async (_options, plan) => {
      await writeFile(join(folder, 'report.json'), JSON.stringify(reportOf(plan)));
      return 1;
    });
    await gate();
    expect(written).toMatch(/\n(no verdict|do not release): .*\n\d+ passed, \d+ failed, \d+ skipped\n$/);
    expect(JSON.parse(await evidence())).toMatchObject({ schemaVersion: 1 });
  });

  it('lists warnings and what is not applicable', async () => {
    vi.mocked(run).mockImplementation(async (_options, plan) => {
      const checks = [sampleCheck(), sampleWarning(), sampleMisfit()];
      const report = { ...reportOf(plan), ...sampleReport({ checks, proofs: [] }), run: reportOf(plan).run };
      await writeFile(join(folder, 'report.json'), JSON.stringify(report));
      return 1;
    });
    await gate();
    expect(written).toContain(
      '1 warning:\n            toolman/X-12  container toolman has no memory limit\n',
    );
    expect(written).toContain(
      '1 check not applicable to this subject:\n            toolman/T-21  the chart renders no Service\n',
    );
  });

  it.each<[string, (plan: RunPlan) => string | undefined, RegExp]>([
    ['there is no report', () => undefined, /wrote no report/],
    ['it is truncated', (plan) => JSON.stringify(reportOf(plan)).slice(0, 200), /is not complete/],
    ['it is of another run', () => JSON.stringify(reportOf({ runId: 'other' })), /belongs to run other/],
    [
      'it says passed and the run could not write another report',
      (plan) => {
        const report = reportOf(plan);
        return JSON.stringify({ ...report, run: { ...report.run, exitCode: 0, verdict: 'passed' } });
      },
      /exit code 0, but it ended with 3/,
    ],
  ])('is no verdict when %s, and no earlier evidence stays', async (_case, content, says) => {
    await writeFile(join(folder, 'evidence.json'), '{"verdict":"release"}');
    vi.mocked(run).mockImplementation(async (_options, plan) => {
      const text = content(plan);
      if (text !== undefined) await writeFile(join(folder, 'report.json'), text);
      return 3;
    });
    expect(await gate()).toBe(3);
    expect(written).toMatch(/^no verdict: /m);
    expect(written).toMatch(says);
    await expect(evidence()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
