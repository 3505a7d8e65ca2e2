import { describe, expect, it } from 'vitest';
import type { Workload } from '../../kube/api/types.ts';
import { changingCluster } from '../../testing/changing-cluster.ts';
import { makeDeployment } from '../../testing/sample-world.ts';
import { daemonSetDesired, daemonSetReady } from './daemon-set.ts';
import { deploymentScaled } from './deployment.ts';
import { jobComplete } from './job.ts';

const web = { name: 'web', namespace: 'demo' };
const daemonSet = (desiredNumberScheduled: number, numberReady: number): Workload =>
  makeDeployment({ kind: 'DaemonSet', status: { desiredNumberScheduled, numberReady } });

describe('deploymentScaled', () => {
  const scaled = (replicas: number): Workload => makeDeployment({ replicas });

  it.each<[number | { not: number }, number]>([
    [3, 3],
    [{ not: 1 }, 2],
  ])('returns the number once it is %j', async (wanted, replicas) => {
    const { kube, clock } = changingCluster([scaled(1)], [scaled(replicas)]);
    expect(await deploymentScaled(kube, web, wanted, { clock })).toBe(replicas);
  });

  it.each([
    ['to be scaled to 3; last seen: 1 replicas', [scaled(1)]],
    ['last seen: no such Deployment (gave up early: it does not exist)', []],
  ])('says how many there are: %s', async (message, state) => {
    const { kube, clock } = changingCluster(state);
    await expect(deploymentScaled(kube, web, 3, { clock })).rejects.toThrow(message);
  });
});

describe('daemonSetDesired', () => {
  it('waits until the controller wants that many pods', async () => {
    const { kube, clock } = changingCluster([daemonSet(2, 2)], [daemonSet(1, 2)]);
    await expect(daemonSetDesired(kube, web, 1, { clock })).resolves.toBeUndefined();
  });

  it('says how many it wants', async () => {
    const { kube, clock } = changingCluster([daemonSet(2, 2)]);
    await expect(daemonSetDesired(kube, web, 1, { clock })).rejects.toThrow(
      'waited 60.0 s for DaemonSet web to want 1 pods; last seen: it wants 2',
    );
  });
});

describe('daemonSetReady', () => {
  it('returns how many pods are ready once all are', async () => {
    const { kube, clock } = changingCluster([daemonSet(0, 0)], [daemonSet(2, 1)], [daemonSet(2, 2)]);
    expect(await daemonSetReady(kube, web, { clock })).toBe(2);
  });

  it.each([
    ['1 of 2 ready', [daemonSet(2, 1)]],
    ['it does not exist (gave up early: no such DaemonSet)', []],
  ])('says how far it is: %s', async (seen, state) => {
    const { kube, clock } = changingCluster(state);
    await expect(daemonSetReady(kube, web, { clock })).rejects.toThrow(
      `for DaemonSet web in demo to be ready; last seen: ${seen}`,
    );
  });
});

describe('jobComplete', () => {
  const job = (...types: string[]): Workload =>
    makeDeployment({
      kind: 'Job',
      status: {
        conditions: types.map((type) => ({ type, status: 'True', message: 'the backoff limit is reached' })),
      },
    });

  it('returns the Job once it is complete', async () => {
    const done = job('SuccessCriteriaMet', 'Complete');
    const { kube, clock } = changingCluster([job()], [job('SuccessCriteriaMet')], [done]);
    expect(await jobComplete(kube, web, { clock })).toBe(done);
  });

  it.each([
    ['no condition', [job()]],
    ['Failed (gave up early: it has failed: the backoff limit is reached)', [job('Failed')]],
    ['no such Job (gave up early: it does not exist)', []],
  ])('says how it is: %s', async (seen, state) => {
    const { kube, clock } = changingCluster(state);
    await expect(jobComplete(kube, web, { clock })).rejects.toThrow(
      `for Job web to complete; last seen: ${seen}`,
    );
  });
});
