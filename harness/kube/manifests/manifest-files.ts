/** The files of a folder of plain manifests, in the order of `kubectl apply -f FOLDER`. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import { parseManifests, type Manifest } from './parse.ts';

const MANIFEST = /\.(ya?ml|json)$/;

/** Sorted names of the manifests in the folder, links to files included, without subfolders, like kubectl without `-R`. */
export async function manifestFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => MANIFEST.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const target = await stat(join(folder, name)).catch(() => undefined);
      return target?.isFile() ? [name] : [];
    }),
  );
  return found.flat().sort();
}

/**
 * Reads all manifests of a folder, or only the named files.
 *
 * @throws UsageError E_MANIFEST with file and reason
 */
export async function readManifests(folder: string, files?: readonly string[]): Promise<Manifest[]> {
  const names = files ?? (await manifestFiles(folder));
  if (names.some((name) => /^kustomization\.ya?ml$/i.test(name))) {
    throw new UsageError('E_MANIFEST', `${folder} is a kustomization, not plain manifests`, {
      hint: 'Render it into another folder and use that one: `kubectl kustomize FOLDER > OTHER/all.yaml`.',
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
