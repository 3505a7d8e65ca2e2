/** A copy of a chart with another version. */
import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { type Document, parseDocument } from 'yaml';
import { UsageError } from '../../core/errors.ts';
import { chartFiles } from './chart-files.ts';

/**
 * Copies a chart into a new folder and raises `version` and `appVersion` in its Chart.yaml.
 *
 * @param chart folder of a chart, or a package
 * @returns the copy and its version
 * @throws UsageError `E_CHART` when the package has files outside of its folder
 */
export async function copyWithNextVersion(
  chart: string,
  folder: string,
): Promise<{ chart: string; version: string }> {
  const copy = await copyOf(chart, folder);
  let version = '';
  await changeMetadata(copy, (metadata) => {
    version = nextPatch(String(metadata.get('version')));
    metadata.set('version', version);
    const appVersion = metadata.get('appVersion');
    if (typeof appVersion === 'string') metadata.set('appVersion', nextPatch(appVersion));
  });
  return { chart: copy, version };
}

/**
 * Copies a chart into a new folder and gives it this version; its `appVersion`, which often names an image, stays.
 *
 * @returns the copy
 * @throws UsageError as `copyWithNextVersion`
 */
export async function copyWithVersion(chart: string, folder: string, version: string): Promise<string> {
  const copy = await copyOf(chart, folder);
  await changeMetadata(copy, (metadata) => metadata.set('version', version));
  return copy;
}

async function copyOf(chart: string, folder: string): Promise<string> {
  const copy = join(folder, 'chart');
  if ((await stat(chart)).isFile()) await unpack(chart, copy);
  else {
    for (const { path, source } of (await chartFiles(chart)).files) {
      const target = join(copy, path);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(source, target);
    }
  }
  return copy;
}

async function changeMetadata(chart: string, change: (metadata: Document) => void): Promise<void> {
  const file = join(chart, 'Chart.yaml');
  const metadata = parseDocument(await readFile(file, 'utf8'));
  change(metadata);
  await writeFile(file, metadata.toString());
}

/** `1.2.3` -> `1.2.4`; the last number is raised, whatever the form. */
function nextPatch(version: string): string {
  const raised = version.replace(
    /(\d+)(\D*)$/,
    (_, number: string, rest: string) => `${Number(number) + 1}${rest}`,
  );
  return raised === version ? `${version}-next` : raised;
}

async function unpack(archive: string, folder: string): Promise<void> {
  const unpacking = extract();
  unpacking.end(await promisify(gunzip)(await readFile(archive)));
  for await (const entry of unpacking) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (entry.header.type !== 'file') continue;
    // All files of a package are in one folder.
    const target = join(folder, entry.header.name.replace(/^(?:\.\/)?[^/]+\//, ''));
    if (!target.startsWith(`${folder}${sep}`)) {
      throw new UsageError('E_CHART', `${archive} has a file outside of its folder: ${entry.header.name}`);
    }
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, Buffer.concat(chunks));
  }
}
