import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createCommandRunner } from '../../harness/core/command.ts';
import { temporaryFolder } from '../../harness/testing/temporary-folder.ts';
import { ownVersion } from './own-version.ts';

const run = createCommandRunner();
const NOBODY = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };

let folder: string;

const git = (...args: string[]) => run.run('git', args, { cwd: folder, env: NOBODY });

beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder, 'harness'));
  await writeFile(join(folder, 'package.json'), '{"version":"1.2.3"}');
  await writeFile(join(folder, 'harness', 'a.ts'), '');
  await writeFile(join(folder, '.gitignore'), '.cache\n');
});

async function commit(): Promise<void> {
  await git('init', '--quiet');
  await git('add', '.');
  await git('-c', 'user.name=n', '-c', 'user.email=n@example.org', 'commit', '--quiet', '--message', 'one');
}

describe('ownVersion', () => {
  it('has the commit of a clean checkout', async () => {
    await commit();
    expect(await ownVersion(run, folder)).toEqual({
      version: '1.2.3',
      commit: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
      dirty: false,
    });
  });

  it.each([
    ['a changed file', 'harness/a.ts', true],
    ['a new file of the code', 'harness/b.ts', true],
    ['an ignored file', 'harness/.cache', false],
    ['a run directory in the project', 'evidence', false],
  ])('with %s', async (_case, path, dirty) => {
    await commit();
    await writeFile(join(folder, path), 'new');
    expect((await ownVersion(run, folder)).dirty).toBe(dirty);
  });

  it('has only the version outside of a checkout', async () => {
    expect(await ownVersion(run, folder)).toEqual({ version: '1.2.3', dirty: false });
  });
});
