import { describe, expect, it } from 'vitest';
import { changingCluster } from '../../testing/changing-cluster.ts';
import { makePod } from '../../testing/sample-world.ts';
import { podGone, podsReplaced } from './pod-end.ts';

const owner = { kind: 'ReplicaSet', name: 'web-abc', uid: 'uid-web-abc' };
const spec = { terminationGracePeriodSeconds: 10 };
const pod = makePod({ name: 'web-1', phase: 'Running', owner, spec });
const leaving = makePod({
  name: 'web-1',
  owner,
  spec,
  metadata: { deletionTimestamp: '2026-03-01T12:00:00Z' },
});

describe('podGone', () => {
  it('waits until the pod no longer exists', async () => {
    const { kube, clock } = changingCluster([pod], [leaving], []);
    await expect(podGone(kube, pod, { clock })).resolves.toBeUndefined();
    expect(clock.now()).toBe(500);
  });

  it('takes another pod of the same name for another pod', async () => {
    const successor = makePod({ name: 'web-1', metadata: { uid: 'another' } });
    const { kube, clock } = changingCluster([successor]);
    await expect(podGone(kube, pod, { clock })).resolves.toBeUndefined();
  });

  it.each([
    ['Running, not deleted', pod],
    ['terminating', leaving],
  ])('waits for the grace period and a minute, and then says "%s"', async (seen, stays) => {
    const { kube, clock } = changingCluster([stays]);
    const message = `waited 70.0 s for pod web-1 to be gone; last seen: ${seen}`;
    await expect(podGone(kube, pod, { clock })).rejects.toThrow(message);
  });
});

describe('podsReplaced', () => {
  const next = makePod({ name: 'web-2', owner });
  const bare = makePod({ name: 'client' });

  it('waits until the old pods are gone and the others exist', async () => {
    const { kube, clock } = changingCluster([leaving, bare], [leaving, next, bare], [next, bare]);
    await expect(podsReplaced(kube, [pod], 1, { clock })).resolves.toBeUndefined();
    expect(clock.now()).toBe(500);
  });

  it('does not count pods without an owner', async () => {
    const { kube, clock } = changingCluster([bare]);
    await expect(podsReplaced(kube, [pod], 1, { clock })).rejects.toThrow(
      'waited 70.0 s for the 1 deleted pods to be replaced; last seen: 0 of them still exist, 0 others',
    );
  });
});
