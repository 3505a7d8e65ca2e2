/** From a suite of one file to the definition that the harness runs. */
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { busyboxImage } from '../../fixtures/images/build.ts';
import { UsageError } from '../../harness/core/errors.ts';
import type { SuiteDefinition } from '../../harness/run/suite/definition.ts';
import { EVERY_SUITE, OWN_RELEASES } from '../any-chart/rows.ts';
import type { OwnSuite } from './define-suite.ts';

/** Only what a mistake would turn into an error elsewhere; types tell the rest. */
const shape = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'has to be kebab-case, at most 40 characters'),
  chart: z.string().min(1),
  requirements: z
    .array(
      z.object({
        id: z
          .string()
          .regex(/^[A-Z]+-\d+$/, 'has to look like AB-1')
          .refine((id) => !id.startsWith('X-'), 'belongs to a requirement that all suites share'),
        requirement: z.string(),
        checkedBy: z.enum([...EVERY_SUITE, ...OWN_RELEASES]).optional(),
      }),
    )
    .min(1)
    .refine((rows) => new Set(rows.map(({ id }) => id)).size === rows.length, 'has an id twice'),
  checks: z.custom((value) => typeof value === 'function', 'has to be a function'),
});

/**
 * @param file absolute path of the file that exports the suite
 * @throws UsageError `E_SUITE` with what the suite lacks
 */
export function definitionOf(suite: OwnSuite, file: string): SuiteDefinition {
  const parsed = shape.safeParse(suite);
  if (!parsed.success) {
    throw new UsageError('E_SUITE', `${file}: ${z.prettifyError(parsed.error)}`, {
      hint: 'Export `defineSuite({ name, chart, requirements, checks })` as default; see docs/writing-a-suite.md.',
    });
  }
  const directory = dirname(file);
  const { name, title = name, releaseName = name, values = [], faults = [] } = suite;
  return {
    name,
    title,
    directory,
    files: [basename(file)],
    topology: suite.topology ?? { groups: [{ name: 'worker', count: 2 }] },
    subject: {
      chart: resolve(directory, suite.chart),
      values: values.map((path) => resolve(directory, path)),
      releaseName,
      images: [],
      // For charts of this project, whose image may have to be built.
      recipes: [busyboxImage],
    },
    requirements: suite.requirements.map((row) => ({
      source: title,
      check: row.requirement,
      kind: ['L'],
      ...row,
    })),
    valuesVariants: {},
    faults,
    shared: [...new Set([...EVERY_SUITE, ...suite.requirements.flatMap(({ checkedBy }) => checkedBy ?? [])])],
  };
}
