/** What a pod may use, and what happens at the limit. Read from the node's cgroups, so that it holds for any image. */
import { cgroupOf } from '../../clusters/container-of.ts';
import type { ContainerCgroup, EatResult } from '../../clusters/node-cgroup.ts';
import { processIdentity } from '../../harness/observe/predicates/live/process.ts';
import { cgroupMatches } from '../../harness/observe/predicates/live/resources.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import { containerStatus } from '../../harness/run/suite/release.ts';
import { requirement } from './kit.ts';

requirement(
  'T-34',
  'has its limits in the cgroup of the container',
  { needs: ['node-access'] },
  async ({ release, cluster, observe }) => {
    for (const pod of await release.pods()) {
      const container = pod.spec.containers.find((c) => c.name === 'toolman');
      const cgroup = await cgroupOf(cluster.nodes, pod, 'toolman');
      const { limitBytes } = await cgroup.memory();
      const { quotaUs, periodUs } = await cgroup.cpu();
      await expect(cgroupMatches(container?.resources ?? {}, { limitBytes, quotaUs, periodUs })).toHold();
      observe(`${pod.metadata.name}: ${limitBytes ?? 'no'} bytes, ${quotaUs ?? 'no'} of ${periodUs} µs`);
    }
  },
);

requirement(
  'T-11',
  'runs as user 1001 and group 2375, without any capability',
  async ({ release, observe }) => {
    for (const pod of await release.pods()) {
      const status = await release.output(pod, ['cat', '/proc/1/status'], 'toolman');
      const verdict = processIdentity(status, { uid: 1001, gid: 2375 });
      await expect(verdict).toHold();
      observe(`${pod.metadata.name}: ${verdict.actual}`);
    }
  },
);

requirement(
  'T-25',
  'is OOM-killed at its memory limit and restarted, and its neighbours never notice',
  { release: 'none', disruptive: true, needs: ['node-access'] },
  async ({ lab, kube, cluster, observe }) => {
    const release = await lab.install({ set: ['replicaCount=2'] });
    const [victim, ...neighbours] = await release.pods();
    if (!victim || neighbours.length === 0)
      throw new CheckFailure('E_SELECTED_NOTHING', 'two replicas are needed');
    const { name } = victim.metadata;
    const cgroup = await cgroupOf(cluster.nodes, victim, 'toolman');
    await waitFor({
      what: `the kernel to kill container toolman of ${name} at its memory limit`,
      timeoutMs: 60_000,
      look: async () => {
        const killed = await eatenUp(cgroup);
        return killed === 'container'
          ? { done: true, value: undefined }
          : { done: false, seen: `it killed ${killed}` };
      },
    });
    const terminated = await waitFor({
      what: `container toolman of ${name} to be told as OOMKilled and started again`,
      timeoutMs: 60_000,
      look: async () => {
        const pod = await kube.get('Pod', { name, namespace: release.namespace });
        const status = pod && containerStatus(pod, 'toolman');
        const last = status?.lastState?.terminated;
        // That it was for memory the runtime hears apart from its end, and sometimes after it.
        if (last?.reason === 'OOMKilled' && status?.state?.running) return { done: true, value: last };
        return { done: false, seen: JSON.stringify(last ?? status?.state ?? 'no status') };
      },
    });
    expect(terminated.reason, `last state of toolman in ${name}`).toBe('OOMKilled');
    expect(terminated.exitCode).toBe(137);
    await release.rolledOut();
    const recording = await release.settleRecording();
    const elsewhere = recording.restarts().filter((r) => r.pod !== name);
    expect(elsewhere, 'restarts of other pods').toEqual([]);
    observe(`${name}: OOMKilled, exit 137, restarted; ${neighbours.length} neighbour without a restart`);
  },
);

/** Who had to end for the memory that was eaten. A cgroup that has gone belonged to a container that ended in the attempt before. */
async function eatenUp(cgroup: ContainerCgroup): Promise<EatResult['killed']> {
  try {
    return (await cgroup.eatMemory({ victim: 'container' })).killed;
  } catch (error) {
    if (error instanceof CheckFailure && error.code === 'E_CGROUP_GONE') return 'container';
    throw error;
  }
}
