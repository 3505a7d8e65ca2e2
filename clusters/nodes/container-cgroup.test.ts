import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../harness/core/command.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { temporaryFolder } from '../../harness/testing/temporary-folder.ts';
import { findContainerCgroup } from './container-cgroup.ts';

const ID = 'ab'.repeat(32);

/** A node with a cgroup at /cg that has the given files. */
function node(version: 'v1' | 'v2', files: Record<string, string>, found = true) {
  const commands: string[][] = [];
  const access: NodeAccess = {
    run(_, command) {
      commands.push([...command]);
      const joined = command.join('\n');
      const located = !found ? version : version === 'v1' ? 'v1 /cg /cg-cpu' : 'v2 /cg';
      const wanted = Object.entries(files).filter(([name]) => command.includes(name));
      const contents = wanted.map(([name, text]) => `@@${name}\n${text}\n`).join('');
      const stdout = joined.includes('find_in') ? located : contents;
      return Promise.resolve({
        command: joined,
        exitCode: 0,
        stdout,
        stderr: '',
        durationMs: 1,
      } satisfies CommandResult);
    },
  };
  return { access, commands };
}

describe('findContainerCgroup', () => {
  it.each([
    {
      version: 'v1' as const,
      files: {
        'memory.limit_in_bytes': '33554432',
        'memory.usage_in_bytes': '100',
        'memory.max_usage_in_bytes': '33554432',
        'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2',
        'cpu.cfs_quota_us': '20000',
        'cpu.cfs_period_us': '100000',
        'cpu.stat': 'nr_periods 40\nnr_throttled 10\nthrottled_time 5',
      },
    },
    {
      version: 'v2' as const,
      files: {
        'memory.max': '33554432',
        'memory.current': '100',
        'memory.peak': '33554432',
        'memory.events': 'low 0\noom 3\noom_kill 2\noom_group_kill 1',
        'cpu.max': '20000 100000',
        'cpu.stat': 'usage_usec 9\nnr_periods 40\nnr_throttled 10\nthrottled_usec 5',
      },
    },
  ])('reads limits and OOM kills on cgroup $version', async ({ version, files }) => {
    const cgroup = await findContainerCgroup(node(version, files).access, 'n', `containerd://${ID}`);
    const bytes = 33_554_432;
    expect(await cgroup.memory()).toEqual({
      limitBytes: bytes,
      usageBytes: 100,
      maxUsageBytes: bytes,
      oomKills: 2,
    });
    expect(await cgroup.cpu()).toEqual({
      quotaUs: 20_000,
      periodUs: 100_000,
      periods: 40,
      throttledPeriods: 10,
    });
  });

  it.each([
    [
      'v1' as const,
      {
        'memory.limit_in_bytes': '9223372036854771712',
        'cpu.cfs_quota_us': '-1',
        'cpu.cfs_period_us': '100000',
      },
    ],
    ['v2' as const, { 'memory.max': 'max', 'cpu.max': 'max 100000' }],
  ])('reports no limit on cgroup %s and allocates no memory without one', async (version, files) => {
    const { access, commands } = node(version, files);
    const cgroup = await findContainerCgroup(access, 'n', ID);
    expect((await cgroup.memory()).limitBytes).toBeUndefined();
    expect((await cgroup.cpu()).quotaUs).toBeUndefined();
    await expect(cgroup.eatMemory({ victim: 'eater' })).rejects.toMatchObject({ code: 'E_CGROUP_UNLIMITED' });
    expect(commands.flat().join(' ')).not.toContain('/dev/zero');
  });

  it('reads the processes of nested cgroups, without those that have ended', async () => {
    const cgroups = await temporaryFolder();
    await mkdir(join(cgroups, 'nested'));
    await writeFile(join(cgroups, 'cgroup.procs'), '');
    await writeFile(join(cgroups, 'nested', 'cgroup.procs'), `${process.pid}\n4194305\n`);
    // This machine as the node.
    const access: NodeAccess = {
      async run(_, [program = '', ...args]) {
        const answer = { command: '', durationMs: 0, exitCode: 0, stderr: '' };
        if (args.includes('locate')) return { ...answer, stdout: `v2 ${cgroups}` };
        return { ...answer, stdout: (await promisify(execFile)(program, args)).stdout };
      },
    };
    const cgroup = await findContainerCgroup(access, 'n', ID);
    expect(await cgroup.processes()).toEqual([
      {
        pids: expect.arrayContaining([process.pid]) as number[],
        status: expect.stringContaining(`Uid:\t${process.getuid?.() ?? ''}`) as string,
        uidMap: expect.stringMatching(/^\s+0/) as string,
        gidMap: expect.stringMatching(/^\s+0/) as string,
        rootMount: expect.stringMatching(/^r[ow]/) as string,
      },
    ]);
    await writeFile(join(cgroups, 'nested', 'cgroup.procs'), '');
    await expect(cgroup.processes()).rejects.toMatchObject({ code: 'E_CGROUP_GONE' });
  });

  it('rejects a container that the node does not have', async () => {
    const { access } = node('v2', {}, false);
    await expect(findContainerCgroup(access, 'n', ID)).rejects.toMatchObject({
      code: 'E_CGROUP_GONE',
      message: `n has no cgroup of container ${ID.slice(0, 12)}`,
    });
  });

  it('rejects a cgroup that is removed while it is read', async () => {
    const cgroup = await findContainerCgroup(node('v2', {}).access, 'n', ID);
    await expect(cgroup.memory()).rejects.toMatchObject({ code: 'E_CGROUP_GONE' });
  });

  it('rejects an invalid container id, which would become part of a find pattern', async () => {
    await expect(findContainerCgroup(node('v2', {}).access, 'n', '*')).rejects.toThrow();
  });
});
