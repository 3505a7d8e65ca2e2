/** No restart, no OOM kill and no flapping readiness, over the whole recording and at its end. */
import type { NodeAccess } from '../../../harness/kube/cluster/cluster.ts';
import { cgroupOf } from '../../../clusters/nodes/container-cgroup.ts';
import {
  noRestartsNoOom,
  noWarningEvents,
  type CgroupKills,
} from '../../../harness/observe/predicates/live/restarts.ts';
import { readinessUnmoved } from '../../../harness/observe/predicates/live/workload.ts';
import { consistently } from '../../../harness/observe/waits/consistently.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';

const ROUNDS = 24;

/** Error codes for a container that has ended. */
const ENDED: ReadonlySet<string> = new Set(['E_CGROUP_GONE', 'E_NOT_RUNNING']);

requirement(
  'T-47',
  'answers every probe over a period of time and never becomes unready',
  async ({ release, observe }) => {
    const pods = await release.pods();
    const answers = await consistently({
      count: ROUNDS,
      intervalMs: 500,
      ask: () =>
        Promise.all(
          pods.flatMap((pod) =>
            ['/health', '/ready'].map(async (path) => ({
              what: `${pod.metadata.name} ${path}`,
              status: (await release.http({ kind: 'Pod', name: pod.metadata.name, port: 3000 }, path)).status,
            })),
          ),
        ),
    });
    await expect(answers).toHold();
    await expect(readinessUnmoved(pods, await release.pods())).toHold();
    const recording = await release.settleRecording();
    const flapped = pods.flatMap((pod) =>
      recording.everUnready(pod.metadata.name).map(() => pod.metadata.name),
    );
    expect(flapped, 'pods that were ready and then not').toEqual([]);
    observe(`${pods.length} pods, ${ROUNDS} rounds of /health and /ready`);
  },
);

requirement('T-45', 'never had a restart or an OOM kill', async ({ release, cluster, observe }) => {
  const { nodes } = cluster;
  const { pods, kills } = nodes
    ? await countedKills(nodes, () => release.pods())
    : { pods: await release.pods(), kills: [] };
  const recording = await release.settleRecording();
  observe(
    nodes
      ? `${kills.length} containers, including the OOM counters of their cgroups`
      : 'without access to the nodes, an OOM kill of a child process would not be noticed',
  );
  await expect(noRestartsNoOom(recording, pods, kills)).toHold();
  // A startup probe is expected to fail until the application has started.
  const except = /^Startup probe failed/;
  await expect(
    noWarningEvents(recording, ['BackOff', 'Unhealthy', 'OOMKilling', 'SystemOOM'], { except }),
  ).toHold();
});

/** OOM kills as the nodes counted them. A container that is being restarted has no cgroup until it runs. */
async function countedKills(
  nodes: NodeAccess,
  readPods: () => Promise<Pod[]>,
): Promise<{ pods: Pod[]; kills: CgroupKills[] }> {
  return waitFor({
    what: 'every container to have a cgroup on its node',
    timeoutMs: 60_000,
    look: async () => {
      const pods = await readPods();
      const containers = pods.flatMap((pod) => pod.spec.containers.map(({ name }) => ({ pod, name })));
      try {
        const kills = await Promise.all(
          containers.map(async ({ pod, name }) => ({
            pod: pod.metadata.name,
            container: name,
            oomKills: (await (await cgroupOf(nodes, pod, name)).memory()).oomKills,
          })),
        );
        return { done: true, value: { pods, kills } };
      } catch (error) {
        if (error instanceof CheckFailure && ENDED.has(error.code))
          return { done: false, seen: error.message };
        throw error;
      }
    },
  });
}
