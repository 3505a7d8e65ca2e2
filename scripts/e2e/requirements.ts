/** The requirement table: which row has which checks and faults. `--list`, the report and docs/requirements.md show it. */
import { join } from 'node:path';
import type { RunOptions } from '../../harness/plan/options.ts';
import type { RequirementRow } from '../../harness/report/model.ts';
import { listChecks } from '../../harness/runner/vitest-runner.ts';
import { loadAllRequirements, suites } from '../../suites/index.ts';
import { projectRoot } from '../project.ts';

/** Every requirement of the chosen suites (all without a choice), with its checks and faults. */
export async function listRequirements(
  chosen: Pick<RunOptions, 'suites' | 'requirements'> = { suites: [], requirements: [] },
): Promise<RequirementRow[]> {
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
        subject: { chart: '', values: [], set: [], reference: true, images: [] },
        redact: [],
      },
    })),
  });
  const rows = (await loadAllRequirements()).map((row): RequirementRow => {
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
