/** For unit tests: programs that behave, in a folder of their own, and a runner that finds them first. */
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CommandRunner } from '../core/command.ts';
import { createCommandRunner } from '../core/command.ts';

export interface FakeMachine {
  /** A temporary folder, also `$STATE` in the scripts. */
  folder: string;
  /** The only folder on PATH besides `systemPath`. */
  bin: string;
  env: Record<string, string>;
  run: CommandRunner;
  /** Puts a shell script on PATH; what it is called with is in `calls`. */
  program(name: string, script: string): Promise<string>;
  /** Writes a file below the folder. */
  file(path: string, text: string): Promise<string>;
  /** Every call of the programs, one line each: `docker info --format …`. */
  calls(): Promise<string[]>;
  dispose(): Promise<void>;
}

/**
 * @param systemPrograms names of real programs that the fakes may use; everything else of this machine is out of reach
 */
export async function fakeMachine(
  systemPrograms: readonly string[] = [
    'sh',
    'cat',
    'echo',
    'touch',
    'rm',
    'sleep',
    'mkdir',
    'setsid',
    'grep',
  ],
): Promise<FakeMachine> {
  // Not called kindproof-…: a sweep must not take it.
  const folder = await mkdtemp(join(tmpdir(), 'kp-unit-'));
  const bin = join(folder, 'bin');
  const system = join(folder, 'system');
  await mkdir(bin);
  await mkdir(system);
  for (const name of systemPrograms) {
    for (const from of ['/usr/bin', '/bin']) {
      const linked = await symlink(join(from, name), join(system, name)).then(
        () => true,
        () => false,
      );
      if (linked) break;
    }
  }
  const env = { PATH: `${bin}:${system}`, STATE: folder, HOME: folder };
  const real = createCommandRunner();
  return {
    folder,
    bin,
    env,
    run: {
      run: (file, args, options) => real.run(file, args, { ...options, env: { ...env, ...options?.env } }),
    },
    program: async (name, script) => {
      const path = join(bin, name);
      await writeFile(path, `#!/bin/sh\necho "${name} $*" >>"$STATE/calls"\n${script}\n`);
      await chmod(path, 0o755);
      return path;
    },
    file: async (path, text) => {
      const at = join(folder, path);
      await mkdir(dirname(at), { recursive: true });
      await writeFile(at, text);
      return at;
    },
    calls: async () => {
      const text = await readFile(join(folder, 'calls'), 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '');
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}
