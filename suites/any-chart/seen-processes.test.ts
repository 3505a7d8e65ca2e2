import { expect, it } from 'vitest';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { makePod } from '../../harness/testing/sample-world.ts';
import { seenContainers } from './seen-processes.ts';

/** A node on which the only container runs these processes. */
function nodeWith(
  ...processes: { pids: string; ids: string; map: string; root: string; name?: string }[]
): NodeAccess {
  const stdout = processes
    .map(({ pids, ids, map, root, name = 'sleep' }) => {
      const status = `Name:\t${name}\nNSpid:\t${pids}\nUid:\t${ids}\nGid:\t${ids}\nGroups:\t${ids} \nCapBnd:\t00\nSeccomp:\t2`;
      return `\n@@status\n${status}\n\n@@uid_map\n${map}\n\n@@gid_map\n${map}\n\n@@root\n${root}\n`;
    })
    .join('');
  return {
    run: (_, command) =>
      Promise.resolve({
        command: '',
        durationMs: 0,
        exitCode: 0,
        stderr: '',
        stdout: command.includes('locate') ? 'v2 /cgroup' : stdout,
      }),
  };
}

it('shows processes as the container sees them, its first one first', async () => {
  const pod = makePod({
    statuses: [{ containerID: `containerd://${'a'.repeat(64)}`, state: { running: {} } }],
  });
  const own = '         0      70000      65536\n     65536          5          1';
  const node = nodeWith(
    { pids: '400 8 1', ids: '70000 70000 70000 70000', map: own, root: 'rw' },
    { pids: '300 1', ids: '70101 70101 70101 5', map: own, root: 'ro,relatime' },
    { pids: '350 7', ids: '0 0 0 0', map: '', root: '' },
    // The runtime is about to start a command in the container, and has not restricted its process yet.
    { pids: '360 9', ids: '0 0 0 0', map: '', root: 'rw', name: 'runc:[2:INIT]' },
  );
  const [found] = await seenContainers(node, () => Promise.resolve([pod]));
  expect(found).toMatchObject({
    container: 'app',
    processes: [
      {
        pid: 1,
        name: 'sleep',
        uids: [101, 101, 101, 65536],
        groups: [101, 101, 101, 65536],
        isRootReadOnly: true,
      },
      { pid: 7, uids: [0, 0, 0, 0], isRootReadOnly: undefined },
      { pid: 1, uids: [0, 0, 0, 0], isRootReadOnly: false },
    ],
  });
});
