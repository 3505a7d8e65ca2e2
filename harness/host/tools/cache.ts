/**
 * The project's cache of tools. Programs are moved into it by an atomic rename, so concurrent runs need no lock: the second one finds the
 * finished program and uses it.
 */
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandRunner } from '../../core/command.ts';
import { isExecutable } from './find-program.ts';
import { reportedVersion } from './reported-version.ts';
import type { ToolPin } from './versions.ts';

interface CacheDeps {
  run: CommandRunner;
  cacheDir: string;
  signal?: AbortSignal | undefined;
}

/** Path of a pinned program in the cache. */
function cachePath(pin: ToolPin, cacheDir: string): string {
  return join(cacheDir, 'tools', `${pin.name}-${pin.version}`, pin.name);
}

/** The cached program, if it exists, runs on this machine and has the pinned version. */
export async function cachedTool(pin: ToolPin, deps: CacheDeps): Promise<string | undefined> {
  const path = cachePath(pin, deps.cacheDir);
  if (!(await isExecutable(path))) return undefined;
  const version = await reportedVersion(pin, path, deps);
  return version?.text === pin.version ? path : undefined;
}

/**
 * Puts a program into the cache.
 *
 * @param make writes the program to `file`; may use `folder`, which is deleted afterwards
 * @returns path of the program in the cache
 * @throws Error of `make`, or when the program does not run or has another version
 */
export async function intoCache(
  pin: ToolPin,
  deps: CacheDeps,
  make: (file: string, folder: string) => Promise<void>,
): Promise<string> {
  const tools = join(deps.cacheDir, 'tools');
  await mkdir(tools, { recursive: true });
  const folder = await mkdtemp(join(tools, `.new-${pin.name}-`));
  try {
    const output = join(folder, 'out');
    await mkdir(output);
    const file = join(output, pin.name);
    await make(file, folder);
    await chmod(file, 0o755);
    await chmod(output, 0o755);
    const version = await reportedVersion(pin, file, deps);
    if (version?.text !== pin.version) {
      throw new Error(`the program reports ${version?.text ?? 'no version'}, not ${pin.version}`);
    }
    await moveIn(pin, deps, output);
    return cachePath(pin, deps.cacheDir);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function moveIn(pin: ToolPin, deps: CacheDeps, output: string): Promise<void> {
  const target = join(deps.cacheDir, 'tools', `${pin.name}-${pin.version}`);
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(output, target);
      return;
    } catch (error) {
      const taken = ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (!taken || attempt === 3) throw error;
      if (await cachedTool(pin, deps)) return;
      // Replaces an unusable program, such as one of another architecture.
      const aside = join(output, '..', `unusable-${attempt}`);
      await rename(target, aside).catch(() => {});
    }
  }
}
