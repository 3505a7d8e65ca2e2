/** Finds the run that started on a bare machine among those that are there. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../harness/core/errors.ts';
import type { Report } from '../../harness/run/report/model.ts';
import { readReport } from './measured-run.ts';
import { phaseMs } from './result.ts';

const PREPARATION = ['preflight', 'tools', 'images', 'cluster'];

/**
 * The run of a bare machine: the given one, or of those in `runs` that passed the one that prepared longest.
 *
 * @throws UsageError `E_BENCH_BARE` when there is none
 */
export async function bareReport(bare: string | true, runs: string): Promise<Report> {
  if (bare !== true) {
    return readReport(bare).catch((cause: unknown) => {
      throw new UsageError('E_BENCH_BARE', `there is no report.json of a run in ${bare}`, {
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
  throw new UsageError('E_BENCH_BARE', `no run in ${runs} has passed`, {
    hint: 'On a machine that you can spare, clone and run `npm run e2e -- --suite toolman` first.',
  });
}

function preparationMs(report: Report): number {
  return PREPARATION.reduce((sum, name) => sum + (phaseMs(report, name) ?? 0), 0);
}
