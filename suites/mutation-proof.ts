/** Whether the faults of the suites can turn every check red: the bookkeeping of X-10. `npm run prove` injects them. */
import type { SuiteDefinition } from '../harness/run/suite/definition.ts';
import type { DeclaredCheck } from '../harness/run/suite/test-record.ts';

type Declared = Pick<DeclaredCheck, 'file' | 'title' | 'requirements' | 'tags'> & { suite: string };
type Faults = Pick<SuiteDefinition, 'name' | 'faults'>;

export interface MutationProof {
  /** Checks that no fault runs: nobody can have seen them red. `FILE: TITLE`. */
  withoutFault: string[];
  /** Faults that run no check, so that nothing can catch them: `SUITE/NAME`. */
  withoutCheck: string[];
  /**
   * Checks that are never alone: another check of the same requirement may be red in their place, and the proof ends then. `FILE: TITLE`.
   */
  neverAlone: string[];
}

/**
 * Several suites run the checks of shared requirements: a fault of one of them is enough.
 *
 * @param checks of all suites
 */
export function mutationProof(checks: readonly Declared[], suites: readonly Faults[]): MutationProof {
  const run = new Set<string>();
  const alone = new Set<string>();
  const withoutCheck: string[] = [];
  for (const { name: suite, faults } of suites) {
    for (const fault of faults) {
      const own = fault.requirements.map((id) =>
        checks.filter(
          (check) =>
            check.suite === suite &&
            check.requirements.includes(id) &&
            (fault.checks === undefined || check.tags.includes(fault.checks)),
        ),
      );
      if (own.some((found) => found.length === 0)) withoutCheck.push(`${suite}/${fault.name}`);
      for (const check of own.flat()) run.add(keyOf(check));
      for (const [first, ...others] of own) if (first && others.length === 0) alone.add(keyOf(first));
    }
  }
  const keys = [...new Set(checks.map(keyOf))];
  return {
    withoutFault: keys.filter((key) => !run.has(key)),
    withoutCheck,
    neverAlone: keys.filter((key) => run.has(key) && !alone.has(key)),
  };
}

function keyOf({ file, title }: Declared): string {
  return `${file}: ${title}`;
}
