/** In which form a subject was given: some checks are about charts only. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DoesNotFit } from '../../harness/core/errors.ts';
import type { SubjectConfig } from '../../harness/run/suite/worker-config.ts';

/** Whether helm installs it: a package, or a folder with Chart.yaml. */
export async function isHelmChart({ chart }: SubjectConfig): Promise<boolean> {
  if ((await stat(chart)).isFile()) return true;
  return stat(join(chart, 'Chart.yaml')).then(
    () => true,
    () => false,
  );
}

/** @throws DoesNotFit for plain manifests */
export async function needHelmChart(subject: SubjectConfig): Promise<void> {
  if (!(await isHelmChart(subject))) throw new DoesNotFit('the subject is plain manifests, not a chart');
}

/**
 * Values files with which the authors of the chart test it, `ci/*-values.yaml` (the convention of chart-testing). Empty for a package,
 * because authors leave them out of it.
 */
export async function valuesOfAuthors({ chart }: SubjectConfig): Promise<string[]> {
  const folder = join(chart, 'ci');
  const names = await readdir(folder).catch((): string[] => []);
  return names
    .filter((name) => /-values\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}
