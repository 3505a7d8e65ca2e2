/** Chooses the checks of a run among those that the suites declare. Pure. */
import { UsageError } from '../../core/errors.ts';
import { count } from '../../core/wording.ts';
import type { DeclaredCheck } from '../suite/test-record.ts';
import type { RunOptions } from './options.ts';
import type { RunPlan, SuitePlan } from './plan.ts';
import { CHECK_TAGS, tagFilter } from './tags.ts';

type SuiteCheck = DeclaredCheck & { suite: string };

export interface Selection {
  /** Every check of the chosen suites, in the order in which they start. */
  declared: readonly SuiteCheck[];
  /** Those that run on the conforming subject; none in a run that only injects faults. */
  chosen: readonly SuiteCheck[];
  /** With `--shard`: which part `chosen` is, and how many checks all parts have. */
  shard?: { index: number; count: number; of: number };
}

const LIST = '`npm run -s e2e -- --list` shows which requirements have checks and faults.';

/**
 * Applies `--requirement`, `--tags` and `--shard`.
 *
 * @throws UsageError when something that was asked for has no check, or no fault with `--prove`: the run would pass without it
 */
export function selectChecks(plan: RunPlan, options: RunOptions, declared: readonly SuiteCheck[]): Selection {
  if (options.prove) rejectRequirementsWithoutFault(plan, options);
  if (!plan.checks) return { declared, chosen: [] };
  const wanted = declared.filter((check) => isWanted(check, plan));
  for (const id of options.requirements) {
    if (wanted.some(({ requirements }) => requirements.includes(id))) continue;
    throw new UsageError('E_NO_CHECKS', `requirement "${id}" has no check yet`, { hint: LIST });
  }
  const tagged = wanted.filter(withTags(plan, options));
  rejectUntagged(plan, options, tagged);
  return { declared, ...partOf(tagged, options.shard) };
}

function isWanted({ suite, requirements }: SuiteCheck, { suites }: RunPlan): boolean {
  const own = suites.find(({ definition }) => definition.name === suite);
  return own?.select === undefined || requirements.some((id) => own.select?.includes(id));
}

function rejectRequirementsWithoutFault({ suites }: RunPlan, { requirements, faults }: RunOptions): void {
  const chosen = suites
    .flatMap(({ definition }) => definition.faults)
    .filter(({ name }) => faults.length === 0 || faults.includes(name));
  for (const id of requirements) {
    if (chosen.some((fault) => fault.requirements.includes(id))) continue;
    const why = faults.length > 0 ? 'is not one that the chosen faults break' : 'has no fault yet';
    throw new UsageError('E_NO_FAULT', `requirement "${id}" ${why}`, { hint: LIST });
  }
}

function withTags({ suites }: RunPlan, { tags }: RunOptions): (check: SuiteCheck) => boolean {
  if (tags === undefined) return () => true;
  const matches = tagFilter(tags, [...CHECK_TAGS, ...suites.map(({ definition }) => definition.name)]);
  return (check) => matches(check.tags);
}

/** Every requirement and every suite that was asked for by name needs a check that the tags leave. */
function rejectUntagged(plan: RunPlan, options: RunOptions, tagged: readonly SuiteCheck[]): void {
  const nothing = (of: string): UsageError =>
    new UsageError(
      'E_NOTHING_SELECTED',
      `no check${of}${options.tags === undefined ? '' : ` matches --tags "${options.tags}"`}`,
      {
        hint: `Change the tags. ${LIST}`,
      },
    );
  const requirement = options.requirements.find(
    (id) => !tagged.some((check) => check.requirements.includes(id)),
  );
  if (requirement !== undefined) throw nothing(` of requirement "${requirement}"`);
  const suite = plan.suites.find(
    ({ definition: { name } }) =>
      options.suites.includes(name) && !tagged.some((check) => check.suite === name),
  );
  if (suite) throw nothing(` of suite ${nameOf(suite)}`);
  if (tagged.length === 0) throw nothing('');
}

function nameOf({ definition }: SuitePlan): string {
  return definition.name;
}

function partOf(
  checks: readonly SuiteCheck[],
  shard: RunOptions['shard'],
): Pick<Selection, 'chosen' | 'shard'> {
  if (!shard) return { chosen: checks };
  const chosen = checks.filter((_, position) => position % shard.count === shard.index - 1);
  if (chosen.length === 0) {
    throw new UsageError(
      'E_NOTHING_SELECTED',
      `part ${shard.index} of ${shard.count} is empty: only ${count(checks.length, 'check')} ${checks.length === 1 ? 'is' : 'are'} selected`,
      { hint: 'Split into fewer parts.' },
    );
  }
  return { chosen, shard: { ...shard, of: checks.length } };
}
