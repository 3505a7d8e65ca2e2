/**
 * The project's cache of tools. A program appears in it by a rename, whole or not at all, so runs at the same time need
 * no lock: the second one finds the place taken and uses what is there.
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

/** Where the program of a pin belongs. */
export function cachePath(pin: ToolPin, cacheDir: string): string {
  return join(cacheDir, 'tools', `${pin.name}-${pin.version}`, pin.name);
}

/** The cached program, when it is there, runs here and is of the pinned version. */
export async function cachedTool(pin: ToolPin, deps: CacheDeps): Promise<string | undefined> {
  const path = cachePath(pin, deps.cacheDir);
  if (!(await isExecutable(path))) return undefined;
  const version = await reportedVersion(pin, path, deps);
  return version?.text === pin.version ? path : undefined;
}

/**
 * Puts a program into the cache.
 *
 * @param make writes the program to the given path in a folder of its own
 * @returns path of the program in the cache
 * @throws whatever `make` throws, or an Error when what it made does not run or is of another version
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
    const made = join(folder, 'out');
    await mkdir(made);
    const file = join(made, pin.name);
    await make(file, folder);
    await chmod(file, 0o755);
    await chmod(made, 0o755);
    const version = await reportedVersion(pin, file, deps);
    if (version?.text !== pin.version) {
      throw new Error(`what was made says it is ${version?.text ?? 'of no version'}, not ${pin.version}`);
    }
    await moveIn(pin, deps, made);
    return cachePath(pin, deps.cacheDir);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function moveIn(pin: ToolPin, deps: CacheDeps, made: string): Promise<void> {
  const place = join(deps.cacheDir, 'tools', `${pin.name}-${pin.version}`);
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(made, place);
      return;
    } catch (error) {
      const taken = ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (!taken || attempt === 3) throw error;
      if (await cachedTool(pin, deps)) return;
      // Something unusable (another architecture, an interrupted copy) is in the way: move it aside in one step.
      const aside = join(made, '..', `unusable-${attempt}`);
      await rename(place, aside).catch(() => {});
    }
  }
}
