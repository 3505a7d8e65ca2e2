/** How pods end. Each check works on a release of its own. */
import { runningContainersOf } from '../../../clusters/nodes/container-memory.ts';
import { InfrastructureError } from '../../../harness/core/errors.ts';
import { gracefulEnds, isEndRecorded } from '../../../harness/observe/predicates/live/graceful-ends.ts';
import { podGone } from '../../../harness/observe/waits/pod-end.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { runningWorkloads } from '../live-workloads.ts';

requirement(
  'X-25',
  'ends its pods by themselves, within their grace period',
  { release: 'none', disruptive: true, timeoutMs: 600_000, typicalMs: 70_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install();
    const workloads = await runningWorkloads(release);
    const deleted = workloads.flatMap(({ model, pods }) => pods.slice(0, 1).map((pod) => ({ model, pod })));
    await Promise.all(
      deleted.map(async ({ pod }) => {
        const { name, namespace } = pod.metadata;
        await kube.delete('Pod', { name, namespace });
        await podGone(kube, pod, { timeoutMs: ((pod.spec.terminationGracePeriodSeconds ?? 30) + 90) * 1000 });
      }),
    );
    const recording = await release.settleRecording();
    let recorded = 0;
    for (const { model, pod } of deleted) {
      const containers = runningContainersOf(pod);
      if (!isEndRecorded(recording, pod, containers)) {
        observe(`${model.title}: the recording does not show how ${pod.metadata.name} ended`);
        continue;
      }
      recorded += 1;
      await expect(gracefulEnds(recording, pod, containers)).toHold();
      observe(`${model.title}: ${pod.metadata.name} was deleted`);
    }
    if (recorded === 0)
      throw new InfrastructureError('E_NOT_RECORDED', 'the recording shows the end of no deleted pod');
  },
);
