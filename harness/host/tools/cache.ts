/**
 * The project's cache of tools. Programs are moved into it by an atomic rename, so concurrent runs need no lock: the second one finds the
 * finished program and uses it. A program in the cache is used only if this account has put it there.
 */
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { ToolDeps } from './deps.ts';
import { isExecutable } from './find-program.ts';
import { isInstalled, recordInstalled, sha256Of } from './install-record.ts';
import { reportedVersion } from './reported-version.ts';
import type { ToolPin } from './versions.ts';

/** What the cache needs to know about a program. */
export type CachePin = { name: string } & Pick<ToolPin, 'version' | 'versionArgs'>;

/** Path of a pinned program in the cache. */
function cachePath(pin: CachePin, cacheDir: string): string {
  return join(cacheDir, 'tools', `${pin.name}-${pin.version}`, pin.name);
}

/**
 * The cached program, if this account has installed it, it runs on this machine and has the pinned version. Otherwise why it is not used. A
 * program that this account has not installed is not run, not even for its version.
 */
export async function cachedTool(
  pin: CachePin,
  deps: ToolDeps,
): Promise<{ path: string } | { path?: never; why: string }> {
  const path = cachePath(pin, deps.cacheDir);
  if (!(await isExecutable(path))) return { why: `${pin.name} ${pin.version} is missing` };
  const sha256 = await sha256Of(path);
  if (!(await isInstalled(pin, sha256, deps.env))) {
    deps.log.warn('cached tool not used', { name: pin.name, path, sha256 });
    const why = `${path} is not what this account installed: it is not used`;
    deps.onProgress?.(why);
    return { why };
  }
  const version = await reportedVersion(pin, path, deps);
  return version?.text === pin.version ? { path } : { why: `${path} does not run here` };
}

/**
 * Puts a program into the cache and records it.
 *
 * @param make writes the verified program to `file`; may use `folder`, which is deleted afterwards
 * @returns path of the program in the cache
 * @throws Error of `make`, or when the program does not run or has another version
 */
export async function intoCache(
  pin: CachePin,
  deps: ToolDeps,
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
    // Before the move: another run that finds the program must know it.
    await recordInstalled(pin, await sha256Of(file), deps.env).catch((error: unknown) => {
      deps.log.warn('tool not recorded', { name: pin.name, error: messageOf(error) });
      deps.onProgress?.(
        `${pin.name} cannot be recorded as installed, so the next run gets it again: ${messageOf(error)}`,
      );
    });
    await moveIn(pin, deps, output);
    return cachePath(pin, deps.cacheDir);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function moveIn(pin: CachePin, deps: ToolDeps, output: string): Promise<void> {
  const target = join(deps.cacheDir, 'tools', `${pin.name}-${pin.version}`);
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(output, target);
      return;
    } catch (error) {
      const taken = ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (!taken || attempt === 3) throw error;
      const { path } = await cachedTool(pin, { ...deps, onProgress: undefined });
      if (path !== undefined) return;
      // Replaces an unusable program, such as one of another architecture.
      const aside = join(output, '..', `unusable-${attempt}`);
      await rename(target, aside).catch(() => {});
    }
  }
}
