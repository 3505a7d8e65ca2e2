import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { makePod } from '../../harness/testing/sample-world.ts';
import { temporaryFolder } from '../../harness/testing/temporary-folder.ts';
import { filesOf } from './container-files.ts';

const ID = 'a'.repeat(64);

/** This machine as the node; the root of the container is a folder. */
function nodeWith(root: string): NodeAccess {
  return {
    async run(_node, [program = '', ...args]) {
      const command = args.map((arg) => arg.replace('root=/proc/$1/root', `root=${root}`));
      const answer = { command: '', durationMs: 0 };
      if (args[2] === 'locate') return { ...answer, exitCode: 0, stdout: 'v2 /cgroup\n', stderr: '' };
      if (args[2] === 'cgroup') return { ...answer, exitCode: 0, stdout: '4711 1\n', stderr: '' };
      const run = promisify(execFile)(program, command);
      const failed = { stdout: '', stderr: '', code: 1 };
      const { stdout, stderr, code } = await run.then((ended) => ({ ...ended, code: 0 })).catch(() => failed);
      return { ...answer, exitCode: code, stdout, stderr };
    },
  };
}

it('reads and writes files as the container sees them, links included', async () => {
  const root = await temporaryFolder();
  for (const folder of ['config/..then', 'run/app']) await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, 'config/..then/a b'), 'one');
  await writeFile(join(root, 'run/app/two'), 'two');
  await symlink('..then', join(root, 'config/..data'));
  await symlink('..data/a b', join(root, 'config/a b'));
  // Absolute: within the container it is /run, not that of the node.
  await mkdir(join(root, 'var'));
  await symlink('/run', join(root, 'var/run'));
  await symlink('circle', join(root, 'circle'));
  const pod = makePod({ statuses: [{ containerID: `containerd://${ID}` }] });
  const files = await filesOf(nodeWith(root), pod, 'app');

  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  expect(await files.hashes(['/config/a b', '/var/run/app/two', '/missing', '/circle'])).toEqual(
    new Map([
      ['/config/a b', sha256('one')],
      ['/var/run/app/two', sha256('two')],
    ]),
  );
  expect(await files.write('/var/run/app/three', '3')).toBe(true);
  expect(await readFile(join(root, 'run/app/three'), 'utf8')).toBe('3');
  expect(await files.write('/nowhere/three', '3')).toBe(false);
});
