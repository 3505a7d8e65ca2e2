/** The files of a folder of plain manifests, in the order in which `kubectl apply -f FOLDER` takes them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import { parseManifests, type Manifest } from './parse.ts';

const MANIFEST = /\.(ya?ml|json)$/;

/** Names of the manifests right in the folder, sorted; subfolders are not looked into, as kubectl does not without `-R`. */
export async function manifestFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && MANIFEST.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

/**
 * Reads a folder, or one manifest file of it.
 *
 * @throws UsageError E_MANIFEST naming the file and what is wrong in it
 */
export async function readManifests(folder: string, files?: readonly string[]): Promise<Manifest[]> {
  const names = files ?? (await manifestFiles(folder));
  if (names.some((name) => /^kustomization\.ya?ml$/i.test(name))) {
    throw new UsageError('E_MANIFEST', `${folder} is a kustomization, not plain manifests`, {
      hint: 'Write what it renders into a folder: `kubectl kustomize FOLDER > OTHER/all.yaml`, and give that one.',
    });
  }
  const manifests = await Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      return parseManifests(await readFile(file, 'utf8'), file);
    }),
  );
  return manifests.flat();
}
