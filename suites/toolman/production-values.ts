/** The values for production, in one place for all checks. */
import { access } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RenderOptions } from '../../harness/run/suite/lab.ts';
import type { SubjectConfig } from '../../harness/run/suite/worker-config.ts';
import { toolman } from './suite.ts';

const DOCUMENTED = toolman.valuesVariants['production'] ?? '';

/**
 * The subject in production. The reference: with the documented values alone. Another chart: with the file of that name that it brings
 * along, on top of the values of the subject; without one, those are its values for production.
 */
export async function inProduction({
  chart,
  reference,
}: Pick<SubjectConfig, 'chart' | 'reference'>): Promise<Pick<RenderOptions, 'onlyChart' | 'values'>> {
  if (reference) return { onlyChart: true, values: [DOCUMENTED] };
  const file = join(chart, basename(DOCUMENTED));
  return access(file).then(
    () => ({ values: [file] }),
    () => ({}),
  );
}
