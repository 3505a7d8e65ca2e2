import { describe, expect, it } from 'vitest';
import { changingCluster } from '../../testing/changing-cluster.ts';
import { makeDeployment, makeEvent, makePod, makeReplicaSet, NOW } from '../../testing/sample-world.ts';
import { podCreated, podsScheduled } from './pod-creation.ts';

const owner = { kind: 'ReplicaSet', name: 'web-abc', uid: 'uid-web-abc' };
const web = { kind: 'Deployment', name: 'web', namespace: 'demo' } as const;
const workload = [makeDeployment(), makeReplicaSet()];
const old = makePod({ name: 'old', owner });
const young = makePod({ name: 'young', owner });
const leaving = makePod({
  name: 'leaving',
  owner,
  metadata: { deletionTimestamp: '2026-03-01T12:00:00Z' },
});
const foreign = makePod({ name: 'foreign' });

describe('podCreated', () => {
  it('returns the first pod of the workload', async () => {
    const { kube, clock } = changingCluster([], [...workload, foreign, leaving], [...workload, foreign, old]);
    expect(await podCreated(kube, web, { clock })).toBe(old);
  });

  it('returns a pod that is none of the others', async () => {
    const { kube, clock } = changingCluster([...workload, old], [...workload, old, young]);
    expect(await podCreated(kube, web, { others: [old], clock })).toBe(young);
  });

  it('gives up when the API server keeps refusing the pod', async () => {
    const refused = makeEvent({
      about: { kind: 'ReplicaSet', name: 'web-abc' },
      reason: 'FailedCreate',
      message:
        'Error creating: Internal error occurred: failed calling webhook "pods.guard.test": Post "https://guard.demo.svc:443/": connection refused',
      count: 6,
    });
    const { kube, clock } = changingCluster([...workload, refused]);
    const today = { ...clock, now: () => NOW + clock.now() };
    await expect(podCreated(kube, web, { others: [old], clock: today })).rejects.toThrow(
      /gave up early: ReplicaSet web-abc may not create its pods: an admission webhook does not answer/,
    );
  });

  it.each([
    ['a new pod of Deployment web; last seen: 1 pods, none of them new', [...workload, old]],
    ['a new pod of Deployment web; last seen: Deployment web does not exist', []],
  ])('says what is there instead: %s', async (message, state) => {
    const { kube, clock } = changingCluster(state);
    await expect(podCreated(kube, web, { others: [old], clock })).rejects.toThrow(message);
  });
});

describe('podsScheduled', () => {
  const some = { namespace: 'demo', labelSelector: 'app=web' };
  const unplaced = makePod({ name: 'unplaced' });
  delete unplaced.spec.nodeName;
  const rejected = makePod({ name: 'rejected', phase: 'Failed' });

  it('waits until that many are placed, without those that a kubelet has rejected', async () => {
    const { kube, clock } = changingCluster([old, unplaced, rejected], [old, young, rejected]);
    expect(await podsScheduled(kube, some, 2, { clock })).toEqual([old, young]);
  });

  it('says how many are placed', async () => {
    const { kube, clock } = changingCluster([old, unplaced]);
    await expect(podsScheduled(kube, some, 2, { clock })).rejects.toThrow(
      'for 2 pods with app=web to be scheduled; last seen: 1 of 2',
    );
  });
});
