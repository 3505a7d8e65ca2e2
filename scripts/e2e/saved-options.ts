/** What a run tested, kept in its directory, so that `--rerun` needs not repeat long options. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../harness/core/errors.ts';
import { writePrivateFile } from '../../harness/core/private-files.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import { isPath } from '../given-suites.ts';
import { runsDirectory } from '../project.ts';

const FILE = 'options.json';

const savedSchema = z.object({
  suites: z.array(z.string()),
  all: z.boolean(),
  chart: z.string().optional(),
  platform: z.string().optional(),
  reference: z.string().optional(),
  chartVersion: z.string().optional(),
  previous: z.string().optional(),
  previousVersion: z.string().optional(),
  /** Absent in older files. */
  previousValues: z.array(z.string()).default([]),
  values: z.array(z.string()),
  set: z.array(z.string()),
  /** Absent in older files. */
  prerequisites: z.array(z.string()).default([]),
  images: z.record(z.string(), z.string()),
  cluster: z.enum(['kind', 'existing']),
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  kubernetes: z.string().optional(),
  /** Absent in older files. */
  provide: z.boolean().default(true),
});

/** JSON has no undefined values. */
type SavedOptions = Pick<RunOptions, keyof z.infer<typeof savedSchema>>;

/** `--set` may contain a credential, which `--rerun` needs: the file is private, and workflows do not upload it. */
export async function saveOptions(directory: string, options: RunOptions): Promise<void> {
  const saved = savedSchema.parse(options);
  await writePrivateFile(join(directory, FILE), `${JSON.stringify(saved, null, 2)}\n`);
}

/**
 * Fills in subject and cluster of an earlier run, and its suites when neither suite nor requirement is chosen. Options that are given
 * take precedence.
 *
 * @throws UsageError `E_RERUN` when `--rerun` names no run
 */
export async function withSavedOptions(options: RunOptions): Promise<RunOptions> {
  if (options.rerun === undefined) return options;
  const saved = await readOptions(options.rerun);
  const {
    suites,
    all,
    values,
    set,
    prerequisites,
    images,
    cluster,
    kubeconfig,
    context,
    chart,
    chartVersion,
    previous,
    previousVersion,
    previousValues,
    platform,
    reference,
    provide,
    ...rest
  } = saved;
  const isChosen = options.all || options.suites.length > 0 || options.requirements.length > 0;
  return {
    ...rest,
    // The version of another chart says nothing about this one.
    ...(options.chart === undefined &&
      options.platform === undefined &&
      options.reference === undefined && {
        ...(platform !== undefined && { platform }),
        ...(reference !== undefined && { reference }),
        ...(chart !== undefined && { chart }),
        ...(chartVersion !== undefined && { chartVersion }),
        ...(options.previous === undefined && {
          ...(previous !== undefined && { previous }),
          ...(previousVersion !== undefined && { previousVersion }),
        }),
      }),
    ...options,
    ...(!isChosen && { suites, all }),
    // A requirement does not imply a suite that is only found by its path.
    ...(isChosen && !options.all && options.suites.length === 0 && { suites: suites.filter(isPath) }),
    previousValues:
      options.previousValues.length > 0 || options.chart !== undefined || options.previous !== undefined
        ? options.previousValues
        : previousValues,
    values: options.values.length > 0 ? options.values : values,
    set: [...set, ...options.set],
    prerequisites: options.prerequisites.length > 0 ? options.prerequisites : prerequisites,
    images: { ...images, ...options.images },
    provide: options.provide && provide,
    ...(options.cluster === 'kind' && {
      cluster,
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(context !== undefined && { context }),
    }),
  };
}

async function readOptions(run: string): Promise<SavedOptions> {
  for (const directory of [join(runsDirectory, run), resolve(run)]) {
    const text = await readFile(join(directory, FILE), 'utf8').catch(() => undefined);
    if (text !== undefined) return savedSchema.parse(JSON.parse(text)) as SavedOptions;
  }
  throw new UsageError('E_RERUN', `--rerun "${run}": there is no such run, or it is too old`, {
    hint: 'Give the id of a run below runs/, `latest`, or the directory of a run.',
  });
}
