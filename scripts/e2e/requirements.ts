/** The requirement table: which row has which checks and faults. `--list`, the report and docs/requirements.md show it. */
import { join } from 'node:path';
import { UsageError } from '../../harness/core/errors.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import type { RequirementRow } from '../../harness/run/report/model.ts';
import { listChecks } from '../../harness/run/runner/vitest-runner.ts';
import { loadAllRequirements, suites } from '../../suites/index.ts';
import { projectRoot } from '../project.ts';

/**
 * Every requirement of the chosen suites (all without a choice), with its checks and faults.
 *
 * @throws UsageError for a suite or requirement that is not in the catalogue
 */
export async function listRequirements(
  chosen: Pick<RunOptions, 'suites' | 'requirements'> = { suites: [], requirements: [] },
): Promise<RequirementRow[]> {
  const catalogue = await loadAllRequirements();
  rejectUnknown('suite', chosen.suites, [...new Set(catalogue.map((row) => row.suite))]);
  rejectUnknown(
    'requirement',
    chosen.requirements,
    catalogue.map((row) => row.id),
  );
  const checks = await listChecks({
    root: projectRoot,
    projects: suites.map((definition) => ({
      name: definition.name,
      file: join(projectRoot, 'suites', 'checks.e2e.ts'),
      config: {
        mode: 'list',
        runId: 'list',
        runDirectory: '',
        suite: definition.name,
        subject: { chart: '', values: [], set: [], patches: [], reference: true, images: [] },
        secrets: {},
        redact: [],
      },
    })),
  });
  const rows = catalogue.map((row): RequirementRow => {
    const own = checks
      .filter((c) => c.requirements.includes(row.id))
      .map(({ file, title }) => ({ file, title }));
    const faults = suites.flatMap((s) =>
      s.faults.filter((f) => f.requirements.includes(row.id)).map((f) => f.name),
    );
    const covered = own.length > 0 && faults.length > 0;
    return {
      id: row.id,
      suite: row.suite,
      source: row.source,
      requirement: row.requirement,
      checks: own,
      faults,
      status: row.notApplicable === undefined ? (covered ? 'covered' : 'uncovered') : 'not-applicable',
      ...(row.notApplicable === undefined ? {} : { reason: row.notApplicable }),
    };
  });
  return rows.filter(
    (row) =>
      (chosen.suites.length === 0 || chosen.suites.includes(row.suite)) &&
      (chosen.requirements.length === 0 || chosen.requirements.includes(row.id)),
  );
}

function rejectUnknown(
  what: 'suite' | 'requirement',
  names: readonly string[],
  known: readonly string[],
): void {
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = suggest(name, known);
    throw new UsageError(
      what === 'suite' ? 'E_UNKNOWN_SUITE' : 'E_UNKNOWN_REQUIREMENT',
      `there is no ${what} "${name}"`,
      { hint: near === undefined ? '`npm run -s e2e -- --list` shows all.' : `Did you mean "${near}"?` },
    );
  }
}

/** The table for a person: one line a requirement, what is missing, and a sum. */
export function formatRequirements(rows: readonly RequirementRow[]): string {
  const lines = rows.map((row) => {
    const missing = [
      ...(row.checks.length === 0 ? ['no check'] : []),
      ...(row.faults.length === 0 ? ['no fault'] : []),
    ];
    const state = row.status === 'uncovered' ? `uncovered (${missing.join(', ')})` : row.status;
    return `${row.id.padEnd(6)} ${row.suite.padEnd(14)} ${state.padEnd(32)} ${row.requirement}`;
  });
  const covered = rows.filter((r) => r.status === 'covered').length;
  return `${lines.join('\n')}\n${covered} of ${rows.length} requirements are covered by a check and a fault\n`;
}
