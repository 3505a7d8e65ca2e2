/** Which images of a subject are there for some checks only, and whether a run needs them. Pure. */
import type { Fault } from '../suite/definition.ts';
import { referenceOf } from '../suite/reference.ts';
import type { SubjectConfig } from '../suite/worker-config.ts';
import type { RunPlan, SuitePlan } from './plan.ts';
import type { Selection } from './select-checks.ts';

/** Names of the images that the chosen checks declare, and the checks that have to catch the chosen faults. */
export function imagesOfChecks(
  { definition, faults }: SuitePlan,
  { chosen, declared }: Selection,
): ReadonlySet<string> {
  const injected = definition.faults.filter(({ name }) => faults.includes(name));
  const needed = declared.filter(
    (check) => chosen.includes(check) || injected.some((fault) => mayCatch(check, fault)),
  );
  return imagesIn(needed, definition.name);
}

/**
 * Leaves out the images that are there for checks of which none is chosen. An image of the user stays in the plan and in the report.
 */
export function withImagesOfChecks(plan: RunPlan, selection: Selection): RunPlan {
  const suites = plan.suites.map((suite): SuitePlan => {
    const { definition, subject, references } = suite;
    const needed = imagesOfChecks(suite, selection);
    const forChecks = imagesIn(selection.declared, definition.name);
    const withNeeded = (one: SubjectConfig): SubjectConfig => {
      const own = referenceOf(definition, one.referenceName).images;
      const isNeeded = ({ name, ref }: { name: string; ref: string }): boolean =>
        !forChecks.has(name) || needed.has(name) || own.every(({ recipe }) => recipe.ref !== ref);
      return { ...one, images: one.images.filter(isNeeded) };
    };
    const further = Object.entries(references).map(([name, one]) => [name, withNeeded(one)] as const);
    return { ...suite, subject: withNeeded(subject), references: Object.fromEntries(further) };
  });
  return { ...plan, suites };
}

type Declared = Selection['declared'];

function imagesIn(checks: Declared, suite: string): Set<string> {
  return new Set(checks.filter((check) => check.suite === suite).flatMap(({ images = [] }) => images));
}

function mayCatch({ requirements, tags }: Declared[number], fault: Fault): boolean {
  return (
    requirements.some((id) => fault.requirements.includes(id)) &&
    (fault.checks === undefined || tags.includes(fault.checks))
  );
}
