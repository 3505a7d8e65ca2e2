/** Secrets of a run: new values for each run, so that all output can redact them. */
import { randomBytes } from 'node:crypto';
import type { RunPlan } from '../plan/plan.ts';

export interface SuiteSecrets {
  /** Secrets of a suite, by name. */
  of(suite: string): Record<string, string>;
  /** The values of all suites. */
  all: readonly string[];
}

/** Values are random, so that a match in any output is a leak; letters and digits only, so that they fit into a URL. */
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
