/** A pod's resource limits, and what happens at them. Read from the node's cgroups, which works with any image. */
import { cgroupOf } from '../../../clusters/nodes/container-cgroup.ts';
import type { ContainerCgroup, EatResult } from '../../../clusters/nodes/container-cgroup.ts';
import { processIdentity } from '../../../harness/observe/predicates/live/process.ts';
import { cgroupMatches } from '../../../harness/observe/predicates/live/resources.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import { containerOomKilled } from '../../../harness/observe/waits/containers.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { renderedServer, serverIn } from '../server.ts';
import { serverPods } from '../server-pods.ts';

requirement(
  'T-34',
  'has its limits in the cgroup of its container',
  { needs: ['node-access'] },
  async ({ release, cluster, observe }) => {
    const { name } = serverIn(release).container;
    for (const pod of await serverPods(release)) {
      const container = pod.spec.containers.find((c) => c.name === name);
      const cgroup = await cgroupOf(cluster.nodes, pod, name);
      const { limitBytes } = await cgroup.memory();
      const { quotaUs, periodUs } = await cgroup.cpu();
      await expect(cgroupMatches(container?.resources ?? {}, { limitBytes, quotaUs, periodUs })).toHold();
      observe(`${pod.metadata.name}: ${limitBytes ?? 'no'} bytes, ${quotaUs ?? 'no'} of ${periodUs} µs`);
    }
  },
);

requirement(
  'T-11',
  'runs as user 1001 and group 2375, without Linux capabilities',
  async ({ release, observe }) => {
    const { container } = serverIn(release);
    for (const pod of await serverPods(release)) {
      const status = await release.output(pod, ['cat', '/proc/1/status'], container.name);
      const result = processIdentity(status, { uid: 1001, gid: 2375 });
      await expect(result).toHold();
      observe(`${pod.metadata.name}: ${result.actual}`);
    }
  },
);

requirement(
  'T-25',
  'is OOM-killed at its memory limit and restarted, without an effect on its other replicas',
  { release: 'none', disruptive: true, needs: ['node-access'] },
  async ({ lab, kube, cluster, observe }) => {
    const release = await lab.install({ patches: withReplicas(await renderedServer(lab), 2) });
    const { container } = serverIn(release);
    const [victim, ...others] = await serverPods(release);
    if (!victim || others.length === 0)
      throw new CheckFailure('E_SELECTED_NOTHING', 'two replicas are needed');
    const { name } = victim.metadata;
    const cgroup = await cgroupOf(cluster.nodes, victim, container.name);
    const how = await waitFor({
      what: `the kernel to kill container ${container.name} of ${name} at its memory limit`,
      timeoutMs: 60_000,
      look: async () => {
        const killed = await exhaustMemory(cgroup);
        return killed === 'container' || killed === 'gone'
          ? { done: true, value: killed }
          : { done: false, seen: `it killed ${killed}` };
      },
    });
    const seenByKernel = how === 'container';
    const { exitCode, reason } = await containerOomKilled(kube, victim, container.name, { seenByKernel });
    expect(exitCode, `exit code of ${container.name} in ${name}`).toBe(137);
    await release.rolledOut();
    const recording = await release.settleRecording();
    const replicas = others.map(({ metadata }) => metadata.name);
    const elsewhere = recording.restarts().filter((r) => replicas.includes(r.pod));
    expect(elsewhere, 'restarts of other pods').toEqual([]);
    const said = reason === 'OOMKilled' ? '' : ` (the kernel did; the runtime says ${reason})`;
    observe(
      `${name}: OOMKilled${said}, exit code 137, restarted; ${others.length} other replica without a restart`,
    );
  },
);

/** What the kernel killed for the allocated memory. `gone`: the container, for what an earlier attempt allocated. */
async function exhaustMemory(cgroup: ContainerCgroup): Promise<EatResult['killed'] | 'gone'> {
  try {
    return (await cgroup.eatMemory({ victim: 'container' })).killed;
  } catch (error) {
    if (error instanceof CheckFailure && error.code === 'E_CGROUP_GONE') return 'gone';
    throw error;
  }
}
