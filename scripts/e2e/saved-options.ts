/** What a run tested, kept in its directory, so that `--rerun` needs not repeat long options. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../harness/core/errors.ts';
import type { RunOptions } from '../../harness/run/plan/options.ts';
import { runsDirectory } from '../project.ts';

const FILE = 'options.json';

const savedSchema = z.object({
  suites: z.array(z.string()),
  all: z.boolean(),
  chart: z.string().optional(),
  values: z.array(z.string()),
  set: z.array(z.string()),
  images: z.record(z.string(), z.string()),
  cluster: z.enum(['kind', 'existing']),
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  kubernetes: z.string().optional(),
});

/** JSON has no undefined values. */
type SavedOptions = Pick<RunOptions, keyof z.infer<typeof savedSchema>>;

/** Mode 0600, because `--set` may contain a secret. */
export async function saveOptions(directory: string, options: RunOptions): Promise<void> {
  const saved = savedSchema.parse(options);
  await writeFile(join(directory, FILE), `${JSON.stringify(saved, null, 2)}\n`, { mode: 0o600 });
}

/**
 * Fills in subject and cluster of an earlier run, and its suites when neither suite nor requirement is chosen. Options that are given
 * take precedence.
 *
 * @throws UsageError `E_RERUN` when `--rerun` names no run
 */
export async function withSavedOptions(options: RunOptions): Promise<RunOptions> {
  if (options.rerun === undefined) return options;
  const { suites, all, values, set, images, cluster, kubeconfig, context, ...rest } = await readOptions(
    options.rerun,
  );
  const isChosen = options.all || options.suites.length > 0 || options.requirements.length > 0;
  return {
    ...rest,
    ...options,
    ...(isChosen ? {} : { suites, all }),
    values: options.values.length > 0 ? options.values : values,
    set: [...set, ...options.set],
    images: { ...images, ...options.images },
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
