import { describe, expect, it } from 'vitest';
import { WaitTimeout } from '../../core/deadline.ts';
import { makeDeployment, makePod, makeReplicaSet, NOW } from '../../testing/sample-world.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Pod, Workload } from '../../kube/api/types.ts';
import { rolledOut } from './rollout.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';

const owner = { kind: 'ReplicaSet', name: 'web-abc', uid: 'uid-web-abc' };
const done = { replicas: 3, updatedReplicas: 3, availableReplicas: 3, readyReplicas: 3 };

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

describe('rolledOut', () => {
  const ref = { kind: 'Deployment', name: 'web', namespace: 'demo' } as const;
  const wait = (looks: Parameters<typeof fakeKube>[0]) =>
    rolledOut(fakeKube(looks), ref, { timeoutMs: 30_000, clock: sleepingClock(NOW) });

  it('returns the workload once the rollout is complete', async () => {
    const result = await wait([
      { workload: makeDeployment({ status: { ...done, availableReplicas: 1 } }) },
      { workload: makeDeployment({ status: done }) },
    ]);
    expect(result.status?.availableReplicas).toBe(3);
  });

  it('reports the progress on timeout', async () => {
    const error = await wait([
      { workload: makeDeployment({ status: { ...done, availableReplicas: 2 } }) },
    ]).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WaitTimeout);
    expect(String(error)).toContain(
      'waited 30.0 s for the rollout of Deployment web; last seen: 2 of 3 replicas available',
    );
  });

  it('gives up at once when waiting cannot help, and gives the reason', async () => {
    const pods = [makePod({ owner, statuses: [{ state: { waiting: { reason: 'InvalidImageName' } } }] })];
    const error = await wait([
      { workload: makeDeployment({ status: { ...done, availableReplicas: 2 } }), pods },
    ]).catch((e: unknown) => e);
    expect(String(error)).toMatch(
      /waited 0.0 s .*gave up early: pod web-1 cannot start container app: "web:1" is not a valid image reference/,
    );
  });

  it('does not give up for pods of the previous revision before the controller has observed the spec', async () => {
    const bad = [makePod({ owner, statuses: [{ state: { waiting: { reason: 'InvalidImageName' } } }] })];
    const result = await wait([
      { workload: makeDeployment({ status: { ...done, observedGeneration: 0 } }), pods: bad },
      { workload: makeDeployment({ status: done }) },
    ]);
    expect(result.status).toMatchObject(done);
  });
});
