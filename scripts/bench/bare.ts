/** Finds the run that started on a bare machine. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../harness/core/errors.ts';
import type { Report } from '../../harness/run/report/model.ts';
import { readReport } from '../read-report.ts';
import { phaseMs } from './result.ts';

const PREPARATION = ['preflight', 'tools', 'node image', 'images', 'cluster'];

/**
 * The given run, or the passed run in `runs` with the longest preparation.
 *
 * @throws UsageError `E_BENCH_BARE` when none exists
 */
export async function bareReport(bare: string | true, runs: string): Promise<Report> {
  if (bare !== true) {
    return readReport(bare).catch((cause: unknown) => {
      throw new UsageError('E_BENCH_BARE', `${bare} contains no valid report.json`, {
        cause,
        hint: 'Give a run directory, e.g. runs/latest.',
      });
    });
  }
  const names = await readdir(runs).catch(() => []);
  const reports = await Promise.all(
    names.filter((n) => n !== 'latest').map((name) => readReport(join(runs, name)).catch(() => undefined)),
  );
  const passed = reports.filter((r) => r?.run.exitCode === 0).filter((r) => r !== undefined);
  const [longest] = passed.sort((a, b) => preparationMs(b) - preparationMs(a));
  if (longest) return longest;
  throw new UsageError('E_BENCH_BARE', `no run in ${runs} passed`, {
    hint: 'On a spare machine, clone and run `npm run e2e -- --suite toolman` first.',
  });
}

function preparationMs(report: Report): number {
  return PREPARATION.reduce((sum, name) => sum + (phaseMs(report, name) ?? 0), 0);
}
