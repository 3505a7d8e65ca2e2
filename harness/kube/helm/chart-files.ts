/** The files of a chart or of a folder of manifests, symbolic links followed as helm follows them. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { UsageError } from '../../core/errors.ts';

export interface ChartFile {
  /** Relative to the folder of the chart, with `/`. */
  path: string;
  /** Where its content is: of a link, the target. */
  source: string;
}

export interface ChartFiles {
  /** Sorted by path. */
  files: ChartFile[];
  /** Paths of the files whose content is outside of the folder, reached through a link. */
  outside: string[];
}

/**
 * Lists all files below a folder without `.git`. Helm follows links to files and folders, also out of the chart (helm,
 * internal/sympath.Walk), so what they lead to belongs to the chart.
 *
 * @throws UsageError E_CHART for a link that leads nowhere or to a folder that contains it: helm cannot load such a chart
 */
export async function chartFiles(folder: string): Promise<ChartFiles> {
  const root = await realpath(folder);
  const files: ChartFile[] = [];
  await walk(root, '', [root], files);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const isOutside = ({ source }: ChartFile): boolean => !source.startsWith(`${root}${sep}`);
  return { files, outside: files.filter(isOutside).map(({ path }) => path) };
}

/** @param parents real paths of the folder and those above it */
async function walk(
  folder: string,
  path: string,
  parents: readonly string[],
  files: ChartFile[],
): Promise<void> {
  for (const { name } of await readdir(folder, { withFileTypes: true })) {
    if (name === '.git') continue;
    const shown = path === '' ? name : `${path}/${name}`;
    const source = await target(join(folder, name), shown);
    const found = await stat(source);
    if (found.isFile()) files.push({ path: shown, source });
    if (!found.isDirectory()) continue;
    if (parents.includes(source)) {
      throw new UsageError('E_CHART', `the link ${shown} of the chart leads to a folder that contains it`, {
        hint: 'Remove the link: helm would follow it without end.',
      });
    }
    await walk(source, shown, [...parents, source], files);
  }
}

async function target(path: string, shown: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw new UsageError('E_CHART', `the link ${shown} of the chart leads nowhere`, {
      cause,
      hint: 'Remove the link, or restore the file that it leads to.',
    });
  }
}

/**
 * Manifests in the folder `optional` beside the chart, which some suites apply. Their paths lead out of the chart: `../optional/hpa.yaml`.
 */
export async function optionalFiles(chart: string): Promise<ChartFile[]> {
  const folder = join(chart, '..', 'optional');
  const entries = await readdir(folder).catch((): string[] => []);
  // A chart of that name is another chart.
  if (entries.includes('Chart.yaml') || relative(folder, chart) === '') return [];
  const names = entries.filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  const files = await Promise.all(
    names.map(async (name) => {
      const source = await target(join(folder, name), `../optional/${name}`);
      return (await stat(source)).isFile() ? [{ path: `../optional/${name}`, source }] : [];
    }),
  );
  return files.flat();
}
