/** Secrets of a run: made anew each time, known by value, so that every writer can keep them out. */
import { randomBytes } from 'node:crypto';
import type { RunPlan } from '../plan/plan.ts';

export interface SuiteSecrets {
  /** By name, of that suite. */
  of(suite: string): Record<string, string>;
  /** The values of all suites. */
  all: readonly string[];
}

/** Long and random enough that a value found anywhere is a leak and no accident; letters and digits, so that it fits into a URL. */
export function makeSecrets(plan: Pick<RunPlan, 'suites'>): SuiteSecrets {
  const bySuite = new Map(
    plan.suites.map(({ definition }) => [
      definition.name,
      Object.fromEntries(
        (definition.environment?.secrets ?? []).map((name) => [
          name,
          `kpCanary${randomBytes(12).toString('hex')}`,
        ]),
      ),
    ]),
  );
  return {
    of: (suite) => bySuite.get(suite) ?? {},
    all: [...bySuite.values()].flatMap((secrets) => Object.values(secrets)),
  };
}
