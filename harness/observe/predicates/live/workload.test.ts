import { describe, expect, it } from 'vitest';
import { makeDeployment, makePod } from '../../../testing/sample-world.ts';
import type { ContainerStatus } from '../../../kube/api/types.ts';
import { allContainersReady, replicas, selectorSelectsExactly } from './workload.ts';

describe('replicas', () => {
  const status = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
  const pods = [makePod({ name: 'a' }), makePod({ name: 'b' })];
  it.each([
    ['as expected', 2, { replicas: 2 }, status, pods, true],
    ['another number in the spec', 3, { replicas: 2 }, status, pods, false],
    ['one unavailable replica', 2, { replicas: 2 }, { ...status, availableReplicas: 1 }, pods, false],
    ['a missing pod', 2, { replicas: 2 }, status, pods.slice(1), false],
  ])('%s', (_, wanted, spec, state, own, ok) => {
    expect(replicas(makeDeployment({ ...spec, status: state }), own, wanted).ok).toBe(ok);
  });
});

describe('allContainersReady', () => {
  const spec = {
    containers: [
      { name: 'app', image: 'a' },
      { name: 'dind', image: 'd' },
    ],
    initContainers: [{ name: 'side', image: 's', restartPolicy: 'Always' }],
  };
  const ready = [
    { name: 'app', ready: true },
    { name: 'dind', ready: true },
  ];
  it('includes sidecars of both kinds', () => {
    expect(
      allContainersReady([makePod({ spec, statuses: ready, inits: [{ name: 'side', ready: true }] })]).ok,
    ).toBe(true);
    expect(
      allContainersReady([makePod({ spec, statuses: ready, inits: [{ name: 'side', ready: false }] })]).ok,
    ).toBe(false);
  });
  it('reports the state of each container that is not ready', () => {
    const statuses: Partial<ContainerStatus>[] = [
      { name: 'app', restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ];
    expect(allContainersReady([makePod({ spec, statuses })]).details).toEqual([
      'web-1/app is waiting: CrashLoopBackOff, 4 restarts',
      'web-1/dind has no status',
      'web-1/side has no status',
    ]);
  });
});

describe('selectorSelectsExactly', () => {
  const [a, b] = [makePod({ name: 'a' }), makePod({ name: 'b' })];
  it.each([
    [[a, b], [a, b], true],
    [[a], [a, b], false],
    [[a, b], [a], false],
    [[], [], false],
  ])('%#', (selected, own, ok) => {
    expect(selectorSelectsExactly('app=web', selected, own).ok).toBe(ok);
  });
});
