/** Digests of a subject: of what is tested, and later of what is released. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { messageOf, UsageError } from '../../core/errors.ts';
import { chartFiles, optionalFiles } from './chart-files.ts';
import { isPublished, type PublishedChart } from './published-chart.ts';

export interface FileDigest {
  /** With `/`; of a file of a chart relative to the chart, of any other file only the name. */
  path: string;
  sha256: string;
}

export interface ChartDigest {
  /** Name of the folder or package. No other digest depends on it. */
  path: string;
  /** Of paths and contents of all files. The same for a folder and for a package with these files. */
  sha256: string;
  files: FileDigest[];
  /** Of a package: the digest of its bytes. `helm package` stores times, so it changes with each packaging. */
  archive?: string | undefined;
  /** Paths of files that a link brings into the chart from outside of its folder. */
  outside: string[];
  /** Where a registry has it; absent for a chart of this machine. */
  published?: PublishedChart | undefined;
}

export interface SubjectDigest {
  chart: ChartDigest;
  values: FileDigest[];
  /** Absent when the chart was given none. */
  prerequisites?: FileDigest[] | undefined;
}

/** Digest of the bytes of a file, in hex. */
export async function fileDigest(path: string): Promise<string> {
  return sha256(await readFile(path));
}

/**
 * @param chart a chart, a package (.tgz) or a folder of manifests
 * @throws UsageError E_CHART when a package cannot be read or a link leads nowhere
 */
export async function digestSubject(
  chart: string,
  values: readonly string[],
  prerequisites: readonly string[] = [],
): Promise<SubjectDigest> {
  return { chart: await digestChart(chart), ...(await digestFiles({ values, prerequisites })) };
}

/**
 * Whether the user's files still are what was tested. A published chart has no files on this machine: its digest says what was tested,
 * whatever its tag names now.
 */
export async function isStill(
  tested: SubjectDigest,
  subject: { chart: string; values: readonly string[]; prerequisites?: readonly string[] },
): Promise<boolean> {
  const { chart, values, prerequisites } = subject;
  const now = isPublished(chart)
    ? { chart: tested.chart, ...(await digestFiles(subject)) }
    : await digestSubject(chart, values, prerequisites);
  return isSameSubject(tested, now);
}

/** Of the files beside the chart. */
async function digestFiles({
  values,
  prerequisites = [],
}: {
  values: readonly string[];
  prerequisites?: readonly string[];
}): Promise<Omit<SubjectDigest, 'chart'>> {
  const digests = (files: readonly string[]): Promise<FileDigest[]> =>
    Promise.all(files.map(async (file) => ({ path: basename(file), sha256: await fileDigest(file) })));
  return {
    values: await digests(values),
    ...(prerequisites.length > 0 && { prerequisites: await digests(prerequisites) }),
  };
}

/** The same contents. Names of folders, packages, values files and prerequisites do not matter. */
export function isSameSubject(a: SubjectDigest, b: SubjectDigest): boolean {
  return (
    a.chart.sha256 === b.chart.sha256 &&
    a.chart.archive === b.chart.archive &&
    isSameContent(a.values, b.values) &&
    isSameContent(a.prerequisites ?? [], b.prerequisites ?? [])
  );
}

function isSameContent(a: readonly FileDigest[], b: readonly FileDigest[]): boolean {
  return a.length === b.length && a.every((file, index) => file.sha256 === b[index]?.sha256);
}

async function digestChart(chart: string): Promise<ChartDigest> {
  const isPackage = (await stat(chart)).isFile();
  const found = isPackage ? { files: [], outside: [] } : await chartFiles(chart);
  const sources = [...found.files, ...(await optionalFiles(chart))];
  const own = await Promise.all(
    sources.map(async ({ path, source }) => ({ path, sha256: await fileDigest(source) })),
  );
  const archive = isPackage ? await readFile(chart) : undefined;
  const files = [...own, ...(archive ? await packagedFiles(chart, archive) : [])];
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const tree = files.map((file) => `${file.path}\0${file.sha256}\n`).join('');
  return {
    path: basename(chart),
    sha256: sha256(tree),
    files,
    ...(archive ? { archive: sha256(archive) } : {}),
    outside: found.outside,
  };
}

/** The files of a package, without the folder that all of them are in. */
async function packagedFiles(chart: string, archive: Buffer): Promise<FileDigest[]> {
  try {
    const unpacking = extract();
    unpacking.end(await promisify(gunzip)(archive));
    const files: FileDigest[] = [];
    for await (const entry of unpacking) {
      const hash = createHash('sha256');
      for await (const chunk of entry) hash.update(chunk as Buffer);
      if (entry.header.type === 'directory') continue;
      files.push({ path: entry.header.name.replace(/^(?:\.\/)?[^/]+\//, ''), sha256: hash.digest('hex') });
    }
    return files;
  } catch (cause) {
    throw new UsageError('E_CHART', `${chart} is not a packaged chart: ${messageOf(cause)}`, {
      cause,
      hint: 'Package the chart again with `helm package`.',
    });
  }
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
