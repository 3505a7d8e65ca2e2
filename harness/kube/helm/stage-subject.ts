/** Copies a subject, so that a change of its files during the run has no effect on what is tested. */
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import { chartFiles, optionalFiles } from './chart-files.ts';
import type { PublishedChart } from './published-chart.ts';
import { digestSubject, type SubjectDigest } from './subject-digest.ts';

export interface StagedSubject {
  /** Paths of the copies. */
  chart: string;
  values: string[];
  prerequisites: string[];
  /** Of the copies. */
  digest: SubjectDigest;
  /** The same error, with the user's own paths. */
  inOwnPaths(error: unknown): unknown;
}

/**
 * Copies chart, values files and prerequisites into a folder that nobody else can read, because they may contain secrets. Links are
 * replaced by what they lead to.
 *
 * @param folder a new folder
 * @param pulled the package of a published chart
 * @throws UsageError E_CHART when a link of the chart leads nowhere or a package cannot be read
 */
export async function stageSubject(
  subject: { chart: string; values: readonly string[]; prerequisites?: readonly string[] },
  folder: string,
  pulled?: { file: string; published: PublishedChart },
): Promise<StagedSubject> {
  const source = pulled?.file ?? subject.chart;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // One level down, for the folder `optional` beside it. Helm requires no particular name, but messages show it.
  const chart = join(folder, 'chart', basename(resolve(source)));
  const isPackage = (await stat(source)).isFile();
  const { files, outside } = isPackage ? { files: [], outside: [] } : await chartFiles(source);
  await mkdir(isPackage ? dirname(chart) : chart, { recursive: true });
  if (isPackage) await copyFile(source, chart);
  for (const { path, source: content } of [...files, ...(await optionalFiles(source))]) {
    const copy = join(chart, path);
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(content, copy);
  }
  const values = await copied(subject.values, join(folder, 'values'));
  const prerequisites = await copied(subject.prerequisites ?? [], join(folder, 'prerequisites'));
  const digest = await digestSubject(chart, values, prerequisites);
  const renames = [[chart, subject.chart], ...values.map((copy, i) => [copy, subject.values[i] ?? copy])];
  const rename = (text: string): string =>
    renames.reduce((renamed, [copy = '', own = '']) => renamed.replaceAll(copy, own), text);
  return {
    chart,
    values,
    prerequisites,
    digest: {
      ...digest,
      chart: { ...digest.chart, outside, ...(pulled ? { published: pulled.published } : {}) },
    },
    inOwnPaths: (error) =>
      error instanceof UsageError
        ? new UsageError(error.code, rename(error.message), {
            hint: error.hint === undefined ? undefined : rename(error.hint),
            cause: error.cause,
            details: error.details,
          })
        : error,
  };
}

/** Copies of the files, in their order. */
async function copied(files: readonly string[], folder: string): Promise<string[]> {
  const copies: string[] = [];
  for (const [index, file] of files.entries()) {
    // Files of different folders may have the same name.
    const copy = join(folder, String(index), basename(file));
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(file, copy);
    copies.push(copy);
  }
  return copies;
}
