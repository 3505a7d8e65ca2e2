import { describe, expect, it } from 'vitest';
import { WaitTimeout } from '../../core/deadline.ts';
import { makeDeployment, makeEvent, makePod, makeReplicaSet, NOW } from '../../testing/sample-world.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { KubeEvent, Pod, Workload } from '../../kube/api/types.ts';
import { rolledOut } from './rollout.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';

const owner = { kind: 'ReplicaSet', name: 'web-abc', uid: 'uid-web-abc' };
const done = { replicas: 3, updatedReplicas: 3, availableReplicas: 3, readyReplicas: 3 };

interface Look {
  workload?: Workload;
  pods?: Pod[];
  replicaSets?: Workload[];
  events?: KubeEvent[];
}

function fakeKube(looks: Look[]): KubeClient {
  let now = looks[0];
  let next = 0;
  const kube = {
    get: () => {
      now = looks[Math.min(next, looks.length - 1)];
      next += 1;
      return Promise.resolve(now?.workload);
    },
    list: (kind: string) =>
      Promise.resolve(
        kind === 'Pod'
          ? (now?.pods ?? [])
          : kind === 'ReplicaSet'
            ? (now?.replicaSets ?? [makeReplicaSet()])
            : (now?.events ?? []),
      ),
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

  it.each([
    ['gives up for refusals of the newest revision', '2', /gave up early: ReplicaSet web-abc may not create/],
    ['does not give up for refusals of an older revision', '0', /last seen: 2 of 3 replicas available$/],
  ])('%s', async (_, revision, says) => {
    const refusing = makeReplicaSet();
    refusing.metadata.annotations = { 'deployment.kubernetes.io/revision': revision };
    const other = makeReplicaSet('web-def');
    other.metadata.annotations = { 'deployment.kubernetes.io/revision': '1' };
    const events = [
      makeEvent({
        about: { kind: 'ReplicaSet', name: 'web-abc' },
        reason: 'FailedCreate',
        message: 'Error creating: pods "x" is forbidden: no PriorityClass with name golden was found',
        count: 8,
      }),
    ];
    const workload = makeDeployment({ status: { ...done, availableReplicas: 2 } });
    const error = await wait([{ workload, replicaSets: [refusing, other], events }]).catch((e: unknown) => e);
    expect(String(error)).toMatch(says);
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
