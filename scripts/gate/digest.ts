/** Digests of the tested files, to compare the evidence with a later release. */
import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';

export interface FileDigest {
  /** Relative to the digested folder, with `/`. */
  path: string;
  sha256: string;
}

export interface TreeDigest {
  /** Digest of paths and contents of all files. */
  sha256: string;
  files: FileDigest[];
}

/** `sha256` of a file's bytes, in hex. */
export async function fileDigest(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

/**
 * Digest of a chart: every file of its folder, or the package (.tgz) as one file.
 *
 * For a folder the digest is reproducible, unlike that of an archive, in which `helm package` stores times.
 */
export async function treeDigest(path: string): Promise<TreeDigest> {
  const isFile = (await stat(path)).isFile();
  const paths = isFile ? [path] : await filesUnder(path);
  const root = isFile ? join(path, '..') : path;
  const files = await Promise.all(
    paths.map(async (file) => ({
      path: relative(root, file).split(sep).join('/'),
      sha256: await fileDigest(file),
    })),
  );
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.path}\0${file.sha256}\n`);
  return { sha256: hash.digest('hex'), files };
}

/** All files below a folder, including symbolic links to files, without `.git`. */
async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return basename(path) === '.git' ? [] : filesUnder(path);
      return (await stat(path)).isFile() ? [path] : [];
    }),
  );
  return found.flat();
}
