/** The requirement table: which row has which checks and faults. `--list`, the report and docs/requirements.md show it. */
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../harness/core/errors.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import type { Requirement } from '../../harness/run/suite/requirements.ts';
import type { RequirementRow } from '../../harness/run/report/model.ts';
import { listChecks } from '../../harness/run/runner/vitest-runner.ts';
import type { SuiteDefinition } from '../../harness/run/suite/definition.ts';
import type { DeclaredCheck } from '../../harness/run/suite/test-record.ts';
import { loadAllRequirements, suites } from '../../suites/index.ts';
import { withGivenSuites } from '../given-suites.ts';
import { checksFile, projectRoot } from '../project.ts';

/**
 * Every requirement of the chosen suites (all without a choice), with its checks and faults.
 *
 * @throws UsageError for a suite or requirement that is not in the catalogue
 */
export async function listRequirements(
  chosen: Pick<RunOptions, 'suites' | 'requirements'> = { suites: [], requirements: [] },
): Promise<RequirementRow[]> {
  const {
    options: { suites: names },
    given,
  } = await withGivenSuites(chosen);
  const definitions = [...given, ...suites];
  const catalogue = [...rowsOf(given), ...(await loadAllRequirements())];
  rejectUnknown('suite', names, [...new Set(catalogue.map((row) => row.suite))]);
  rejectUnknown(
    'requirement',
    chosen.requirements,
    catalogue.map((row) => row.id),
  );
  const checks = await listChecks({
    root: projectRoot,
    projects: definitions.map(({ name, code }) => ({ name, file: code?.checks ?? checksFile })),
  });
  return catalogue
    .map((row) => rowOf(row, definitions, checks))
    .filter(
      (row) =>
        (names.length === 0 || names.includes(row.suite)) &&
        (chosen.requirements.length === 0 || chosen.requirements.includes(row.id)),
    );
}

/**
 * The rows for the report of a run: those of its suites, and the shared ones that any suite verifies. Checks and faults of other suites
 * cover nothing in this run.
 */
export async function requirementRows(
  definitions: readonly SuiteDefinition[],
  declared: readonly DeclaredCheck[],
): Promise<RequirementRow[]> {
  const names = definitions.map(({ name }) => name);
  const shared = new Set(suites.flatMap((suite) => suite.shared));
  return [...rowsOf(definitions), ...(await loadAllRequirements())]
    .filter(({ id, suite }) => names.includes(suite) || (suite === 'all' && shared.has(id)))
    .map((row) => rowOf(row, definitions, declared));
}

/** The requirements that suites state themselves, in place of a file. */
function rowsOf(definitions: readonly SuiteDefinition[]): (Requirement & { suite: string })[] {
  return definitions.flatMap(({ name, requirements = [] }) =>
    requirements.map((row) => ({ ...row, suite: name })),
  );
}

function rowOf(
  row: Requirement & { suite: string },
  definitions: readonly SuiteDefinition[],
  declared: readonly Pick<DeclaredCheck, 'requirements' | 'file' | 'title'>[],
): RequirementRow {
  const { id, suite, source, requirement, level, notApplicable, tested } = row;
  // Several suites run the checks of shared requirements.
  const checks = declared
    .filter(({ requirements }) => requirements.includes(id))
    .map(({ file, title }) => ({ file, title }))
    .filter((check, index, all) => all.findIndex((one) => isDeepStrictEqual(one, check)) === index);
  if (tested) checks.push({ file: tested.file, title: row.check });
  const faults = definitions
    .flatMap((definition) => definition.faults)
    .filter(({ requirements }) => requirements.includes(id))
    .map(({ name }) => name);
  faults.push(...(tested?.faults ?? []));
  const covered = checks.length > 0 && faults.length > 0;
  return {
    id,
    suite,
    source,
    requirement,
    checks,
    faults,
    ...(level && { level }),
    status: notApplicable === undefined ? (covered ? 'covered' : 'uncovered') : 'not-applicable',
    ...(notApplicable === undefined ? {} : { reason: notApplicable }),
  };
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
