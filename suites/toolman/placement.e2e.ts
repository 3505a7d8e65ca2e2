/** Where the replicas run: spread over the nodes, only on nodes that are meant for tools. */
import { nodesAllowed } from '../../harness/observe/predicates/live/placement.ts';
import { isReady } from '../../harness/observe/waits/pod-start.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { requirement } from './kit.ts';

const HOSTNAME = 'kubernetes.io/hostname';

requirement('T-35', 'spreads its 3 replicas over 3 nodes', async ({ release }) => {
  await expect(release.deployment('toolman')).toBeSpreadOver(HOSTNAME, { maxSkew: 1 });
});

requirement(
  ['T-49', 'T-35'],
  'is spread again after one pod was replaced',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ set: ['replicaCount=3'] });
    const before = await release.pods();
    const [victim] = before;
    if (!victim) throw new CheckFailure('E_SELECTED_NOTHING', 'the release has no pod');
    const { name } = victim.metadata;
    await kube.delete('Pod', { name, namespace: release.namespace });
    await gone(kube, victim);
    // The status of the Deployment may still speak of the pod that is gone.
    await allReady(release, before.length);
    await release.rolledOut();
    await expect(release.deployment('toolman')).toBeSpreadOver(HOSTNAME, { maxSkew: 1 });
    observe(`${name} was deleted and replaced`);
  },
);

requirement('T-53', 'runs only on nodes labelled workload-type=tools', async ({ release, kube }) => {
  await expect(
    nodesAllowed(await release.pods(), await kube.list('Node'), {
      nodeSelector: { 'workload-type': 'tools' },
    }),
  ).toHold();
});

requirement(
  'T-53',
  'stays Pending when no node has the label, with that reason',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({
      set: ['replicaCount=1', 'nodeSelector.workload-type=none-such'],
      rollout: false,
    });
    const message = await unschedulable(kube, release.namespace, /node affinity\/selector/);
    expect(message).toMatch(/node affinity\/selector/);
    observe(message);
  },
);

/** The scheduler's own words about a pod that it cannot place for that reason; at first it may only miss the volume. */
async function unschedulable(kube: KubeClient, namespace: string, reason: RegExp): Promise<string> {
  return waitFor({
    what: `a pod in namespace ${namespace} that the scheduler cannot place`,
    timeoutMs: 90_000,
    look: async () => {
      const pods = await kube.list('Pod', { namespace });
      const condition = pods
        .flatMap((p) => p.status?.conditions ?? [])
        .find((c) => c.type === 'PodScheduled' && c.status === 'False');
      const message = condition?.message;
      if (message !== undefined)
        return reason.test(message) ? { done: true, value: message } : { done: false, seen: message };
      const where = pods.map((p) => `${p.metadata.name} on ${p.spec.nodeName ?? 'no node'}`).join(', ');
      return pods.some((p) => p.spec.nodeName !== undefined)
        ? { done: false, seen: where, hopeless: 'it was placed' }
        : { done: false, seen: where === '' ? 'no pods' : where };
    },
  });
}

async function allReady(release: Release, count: number): Promise<void> {
  await waitFor({
    what: `${count} pods to be ready`,
    timeoutMs: 150_000,
    look: async () => {
      const ready = (await release.pods()).filter(isReady).length;
      return ready >= count ? { done: true, value: undefined } : { done: false, seen: `${ready} are ready` };
    },
  });
}

async function gone(kube: KubeClient, { metadata, spec }: Pod): Promise<void> {
  const { name, namespace } = metadata;
  await waitFor({
    what: `pod ${name} to be gone`,
    timeoutMs: ((spec.terminationGracePeriodSeconds ?? 30) + 60) * 1000,
    look: async () =>
      (await kube.get('Pod', { name, namespace }))
        ? { done: false, seen: 'terminating' }
        : { done: true, value: undefined },
  });
}
