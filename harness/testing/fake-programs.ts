/** Fake programs in a temporary folder, and a runner that has only these on PATH. */
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CommandRunner } from '../core/command.ts';
import { createCommandRunner } from '../core/command.ts';

export interface FakeMachine {
  /** A temporary folder, also `$STATE` in the scripts. */
  folder: string;
  /** Folder of the fake programs. PATH also has the real `systemPrograms`. */
  bin: string;
  env: Record<string, string>;
  run: CommandRunner;
  /** Adds a shell script to PATH. `calls()` records its calls. */
  program(name: string, script: string): Promise<string>;
  /** Writes a file below the folder. */
  file(path: string, text: string): Promise<string>;
  /** Every call of a fake program: `docker info --format …`. */
  calls(): Promise<string[]>;
  dispose(): Promise<void>;
}

/** @param systemPrograms real programs that the fakes can use; no others of this machine are on PATH */
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
  // Without the prefix kindproof-, so that a sweep does not remove it.
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
