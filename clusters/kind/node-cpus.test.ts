import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cpuMount, writeCpus } from './node-cpus.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kindproof-cpus-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('the CPUs of the machine are shown once for each memory node, and nothing is left of an earlier cluster', async () => {
  await writeCpus(folder, 8, 2);
  await writeCpus(folder, 4, 2);
  const { hostPath, containerPath, readOnly } = cpuMount(folder);
  expect({ containerPath, readOnly }).toEqual({ containerPath: '/sys/devices/system/node', readOnly: true });
  expect((await readdir(hostPath)).sort()).toEqual(['node0', 'node1']);
  for (const node of ['node0', 'node1'])
    expect((await readdir(join(hostPath, node))).sort()).toEqual(['cpu0', 'cpu1']);
  expect(await readFile(join(hostPath, 'node1', 'cpu1', 'topology', 'core_id'), 'utf8')).toBe('1\n');
});
