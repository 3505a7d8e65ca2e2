/**
 * Folders with a fixed name among the system's temporary files. Another user of the machine can create the name first, as a folder of
 * their own or as a link to any folder.
 */
import { lstat, mkdir } from 'node:fs/promises';
import { InfrastructureError } from './errors.ts';

/**
 * Creates a folder, or accepts an existing one that only this user can write to.
 *
 * @throws InfrastructureError `E_FOREIGN_FOLDER` for a link, a file, a folder of another user, or one that others can write to
 */
export async function makeOwnFolder(path: string, mode = 0o755): Promise<void> {
  try {
    // Not recursive: that accepts a link to a folder.
    await mkdir(path, { mode });
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const why = await notOwnFolder(path);
  if (why === undefined) return;
  throw new InfrastructureError('E_FOREIGN_FOLDER', `the folder ${path} cannot be used: ${why}`, {
    hint: `find out who created it and remove it (rm -r ${path}), or set TMPDIR to a folder of your own`,
  });
}

/** Why a path is not a folder that only this user can write to; `undefined` when it is one. A missing path is none. */
export async function notOwnFolder(path: string, user = process.getuid?.()): Promise<string | undefined> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts === undefined) return 'it does not exist';
  if (facts.isSymbolicLink()) return 'it is a symbolic link';
  if (!facts.isDirectory()) return 'it is not a folder';
  if (user !== undefined && facts.uid !== user) return `it belongs to user ${facts.uid}`;
  return (facts.mode & 0o022) === 0 ? undefined : 'it can be written by other users';
}
