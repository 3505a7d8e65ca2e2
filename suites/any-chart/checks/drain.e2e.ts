/** Nodes can be drained, and clients do not notice it. Each check works on a release of its own. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { lasting, modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { podEvicted } from '../../../harness/observe/waits/pod-evicted.ts';
import { podGone } from '../../../harness/observe/waits/pod-end.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { notAboutSubject } from '../../../harness/run/suite/not-about-subject.ts';
import { isEvictable, keptEndpoints, needServing, schedulable, serveThroughDrain } from '../drain.ts';
import { requirement } from '../kit.ts';
import { leastOf, level } from '../least-replicas.ts';
import { runningWorkloads } from '../live-workloads.ts';

const NAMESPACE = 'default';
const ROLLOUT_MS = 600_000;

requirement(
  'X-26',
  'lets its pods be evicted, and serves meanwhile',
  { release: 'none', disruptive: true, timeoutMs: 600_000, typicalMs: 80_000 },
  async ({ lab, kube, observe }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    if (!lasting(modelOf(objects, { namespace: NAMESPACE })).some(isEvictable))
      throw new DoesNotFit('the chart renders no Deployment and no StatefulSet with replicas');
    const release = await lab.install();
    const evictable = (await runningWorkloads(release))
      .filter(({ model }) => isEvictable(model))
      .sort((one, other) => leastOf(other.model) - leastOf(one.model));
    const from = (await release.settleRecording()).changes.length;
    const evicted = evictable.flatMap(({ model, pods }) => pods.slice(0, 1).map((pod) => ({ model, pod })));
    // All at once, as a drain does. Promises are judged first: the first failure ends the check.
    const ends = await Promise.allSettled(evicted.map(({ pod }) => evict(pod)));
    for (const [index, { model, pod }] of evicted.entries()) {
      const end = ends[index];
      await level(model, () =>
        end?.status === 'rejected' ? Promise.reject(end.reason as Error) : Promise.resolve(),
      );
      expect(end?.status, `eviction of ${pod.metadata.name}`).toBe('fulfilled');
      observe(`${model.title}: ${pod.metadata.name} was evicted`);
    }
    await release.rolledOut(ROLLOUT_MS);
    for (const { model } of evictable.filter((one) => leastOf(one.model) >= 2))
      for (const result of await keptEndpoints(release, model, from)) await expect(result).toHold();

    async function evict(pod: Pod): Promise<void> {
      await podEvicted(kube, pod);
      // How it ends is X-25's question.
      await notAboutSubject('E_NOT_STOPPED', 'an evicted pod does not end', () => podGone(kube, pod));
    }
  },
);

requirement(
  'X-07',
  'keeps serving while one of its nodes is drained',
  { release: 'none', disruptive: true, exclusive: true, needs: ['node-cordon'], timeoutMs: 900_000 },
  async (context) => {
    const { lab, kube } = context;
    const nodes = await schedulable(kube);
    const { objects } = await lab.render({ namespace: NAMESPACE });
    needServing(lasting(modelOf(objects, { namespace: NAMESPACE })), nodes);
    await serveThroughDrain([await lab.install()], context);
  },
);
