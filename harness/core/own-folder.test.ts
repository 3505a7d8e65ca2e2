import { chmod, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeOwnFolder, notOwnFolder } from './own-folder.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'kp-unit-own-'));
});
afterEach(() => rm(parent, { recursive: true }));

describe('makeOwnFolder', () => {
  it('creates a folder that other users cannot write to, and accepts it again', async () => {
    const path = join(parent, 'shared');
    await makeOwnFolder(path);
    await writeFile(join(path, 'kept'), '');
    await makeOwnFolder(path);
    expect((await lstat(path)).mode & 0o022).toBe(0);
    expect(await readdir(path)).toEqual(['kept']);
  });

  it.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    [
      'a link to a folder',
      async (path) => {
        await mkdir(join(parent, 'elsewhere'));
        await symlink(join(parent, 'elsewhere'), path);
      },
      /is a symbolic link/,
    ],
    ['a link that leads nowhere', (path) => symlink(join(parent, 'nothing'), path), /is a symbolic link/],
    ['a file', (path) => writeFile(path, ''), /is not a folder/],
    [
      'a folder that everybody can write to',
      async (path) => {
        await mkdir(path);
        await chmod(path, 0o777);
      },
      /can be written by other users/,
    ],
  ])('refuses %s', async (_what, prepare, message) => {
    const path = join(parent, 'shared');
    await prepare(path);
    await expect(makeOwnFolder(path)).rejects.toMatchObject({
      code: 'E_FOREIGN_FOLDER',
      exitCode: 3,
      message: expect.stringMatching(message),
      hint: expect.stringContaining(`rm -r ${path}`),
    });
  });
});

it('names the owner of a folder that belongs to another user', async () => {
  const path = join(parent, 'shared');
  await mkdir(path);
  const { uid } = await lstat(path);
  expect(await notOwnFolder(path, uid + 1)).toBe(`it belongs to user ${uid}`);
  expect(await notOwnFolder(path, uid)).toBeUndefined();
});
