import { describe, expect, it } from 'vitest';
import { WaitTimeout } from '../../core/deadline.ts';
import { makeDeployment, makePod, makeReplicaSet, NOW } from '../../testing/sample-world.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Pod, Workload } from '../../kube/api/types.ts';
import { ownPods, podsOf } from '../../kube/api/workload-pods.ts';
import { waitForRollout } from './rollout.ts';
import { rolloutGap } from '../predicates/live/rollout-gap.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';

const owner = { kind: 'ReplicaSet', name: 'web-abc', uid: 'uid-web-abc' };
const done = { replicas: 3, updatedReplicas: 3, availableReplicas: 3, readyReplicas: 3 };
const leaving = makePod({ name: 'old', owner, metadata: { deletionTimestamp: '2026-03-01T12:00:00Z' } });

function fakeKube(looks: { workload?: Workload; pods?: Pod[] }[]): KubeClient {
  let now = looks[0];
  let next = 0;
  const kube = {
    get: () => {
      now = looks[Math.min(next, looks.length - 1)];
      next += 1;
      return Promise.resolve(now?.workload);
    },
    list: (kind: string) =>
      Promise.resolve(kind === 'Pod' ? (now?.pods ?? []) : kind === 'ReplicaSet' ? [makeReplicaSet()] : []),
  };
  return kube as unknown as KubeClient;
}

describe('rolloutGap', () => {
  it.each<[string, Partial<Workload['status'] & object>, Pod[], string | undefined]>([
    ['complete', done, [], undefined],
    [
      'the controller is behind',
      { ...done, observedGeneration: 0 },
      [],
      'the controller has not seen the latest spec yet',
    ],
    [
      'not all updated',
      { ...done, updatedReplicas: 1, availableReplicas: 3 },
      [],
      '1 of 3 replicas updated, 3 available',
    ],
    ['not all available', { ...done, availableReplicas: 2 }, [], '2 of 3 replicas available'],
    ['old replicas', { ...done, replicas: 4 }, [], '1 old replica still there'],
    ['an old pod ends', done, [leaving], 'all of 3 replicas available, 1 old pod still terminating'],
  ])('%s', (_, status, pods, gap) => {
    expect(rolloutGap(makeDeployment({ status }), pods)).toBe(gap);
  });

  it('counts nodes for a DaemonSet', () => {
    const status = { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2 };
    expect(rolloutGap(makeDeployment({ kind: 'DaemonSet', status }), [])).toBe('2 of 3 nodes available');
  });
});

describe('waitForRollout', () => {
  const ref = { kind: 'Deployment', name: 'web', namespace: 'demo' } as const;
  const wait = (looks: Parameters<typeof fakeKube>[0]) =>
    waitForRollout(fakeKube(looks), ref, { timeoutMs: 30_000, clock: sleepingClock(NOW) });

  it('returns the workload once everything is in place', async () => {
    const result = await wait([
      { workload: makeDeployment({ status: { ...done, availableReplicas: 1 } }) },
      { workload: makeDeployment({ status: done }) },
    ]);
    expect(result.status?.availableReplicas).toBe(3);
  });

  it('says how far it came when the time is over', async () => {
    const error = await wait([
      { workload: makeDeployment({ status: { ...done, availableReplicas: 2 } }) },
    ]).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WaitTimeout);
    expect(String(error)).toContain(
      'waited 30.0 s for the rollout of Deployment web; last seen: 2 of 3 replicas available',
    );
  });

  it('gives up at once when waiting cannot help, and says why', async () => {
    const pods = [makePod({ owner, statuses: [{ state: { waiting: { reason: 'InvalidImageName' } } }] })];
    const error = await wait([
      { workload: makeDeployment({ status: { ...done, availableReplicas: 2 } }), pods },
    ]).catch((e: unknown) => e);
    expect(String(error)).toMatch(
      /waited 0.0 s .*gave up early: pod web-1 cannot start container app: "web:1" is not a valid image reference/,
    );
  });

  it('does not give up after a rollback for the pods of the bad revision, which the controller has not left yet', async () => {
    const bad = [makePod({ owner, statuses: [{ state: { waiting: { reason: 'InvalidImageName' } } }] })];
    const result = await wait([
      { workload: makeDeployment({ status: { ...done, observedGeneration: 0 } }), pods: bad },
      { workload: makeDeployment({ status: done }) },
    ]);
    expect(result.status).toMatchObject(done);
  });
});

describe('podsOf', () => {
  const deployment = makeDeployment();
  it.each<[string, Pod, boolean]>([
    ['selected and owned', makePod({ owner }), true],
    ['selected, but owned by another', makePod({ owner: { ...owner, uid: 'uid-other' } }), false],
    ['selected and owned by nobody', makePod({}), false],
    ['owned, but with other labels', makePod({ owner, labels: { app: 'else' } }), false],
  ])('%s', (_, pod, own) => {
    expect(ownPods(deployment, [pod], [makeReplicaSet()])).toEqual(own ? [pod] : []);
  });

  it('leaves out pods that end or failed', async () => {
    const pods = [
      makePod({ name: 'living', owner }),
      leaving,
      makePod({ name: 'evicted', owner, phase: 'Failed' }),
    ];
    const found = await podsOf(fakeKube([{ pods }]), deployment);
    expect(found.map((p) => p.metadata.name)).toEqual(['living']);
  });

  it('refuses to speak about no pods', async () => {
    await expect(podsOf(fakeKube([{ pods: [] }]), deployment)).rejects.toMatchObject({
      code: 'E_SELECTED_NOTHING',
    });
  });
});
