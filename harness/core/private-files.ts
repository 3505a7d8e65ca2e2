/** Files and folders that only the user who runs kindproof can read: logs and reports show the inside of a cluster. */
import { mkdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Mode of a file. It applies to new files only. */
export const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** Creates a folder with the folders above it. Folders that exist keep their mode. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
}

/** Like `makePrivateFolder`, for code that must not be interrupted. */
export function makePrivateFolderSync(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
}

/** Writes a file, and creates its folder. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  await makePrivateFolder(dirname(path));
  await writeFile(path, content, { mode: PRIVATE_FILE });
}
