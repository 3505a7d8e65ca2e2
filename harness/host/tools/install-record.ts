/**
 * Which programs this account has installed, by their SHA-256. The records are outside the cache, because a cache is copied between
 * machines and restored by CI services: a record inside it would come from whoever wrote the program.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { makeOwnFolder, notOwnFolder } from '../../core/own-folder.ts';
import { stateFolder } from '../../core/state-folder.ts';
import type { ToolPin } from './versions.ts';

type Environment = Record<string, string | undefined>;

/** SHA-256 of a file, in hexadecimal. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Records a program that was verified. @throws Error when this account has no home folder that it can write to */
export async function recordInstalled(
  pin: Pick<ToolPin, 'version'> & { name: string },
  sha256: string,
  env: Environment,
): Promise<void> {
  const folder = recordFolder(env);
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  await makeOwnFolder(folder, 0o700);
  await writeFile(recordFile(pin, sha256, env), '');
}

/** Whether this account installed a program with this content. False when other users could have written the record. */
export async function isInstalled(
  pin: Pick<ToolPin, 'version'> & { name: string },
  sha256: string,
  env: Environment,
): Promise<boolean> {
  if ((await notOwnFolder(recordFolder(env))) !== undefined) return false;
  const facts = await lstat(recordFile(pin, sha256, env)).catch(() => undefined);
  return facts?.isFile() ?? false;
}

function recordFolder(env: Environment): string {
  return join(stateFolder(env), 'tools');
}

function recordFile(
  pin: Pick<ToolPin, 'version'> & { name: string },
  sha256: string,
  env: Environment,
): string {
  return join(recordFolder(env), `${pin.name}-${pin.version}-${sha256}`);
}
