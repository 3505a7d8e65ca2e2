import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../../kube/api/client.ts';
import { ApiError } from '../../kube/api/errors.ts';
import { makePod } from '../../testing/sample-world.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';
import { podEvicted } from './pod-evicted.ts';

const pod = makePod({ labels: { app: 'web' } });
const refusal = { evicted: false, reason: 'Cannot evict pod as it would violate the budget.' } as const;

function cluster(
  answers: unknown[],
  status: object,
  selector: object = { matchLabels: { app: 'web' } },
): KubeClient {
  const budget = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web' },
    spec: { minAvailable: 2, selector },
    status: { expectedPods: 2, disruptionsAllowed: 0, ...status },
  };
  return {
    evict: () => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    list: () => Promise.resolve([budget]),
  } as unknown as KubeClient;
}
const evicting = (kube: KubeClient) => podEvicted(kube, pod, { clock: sleepingClock() });

describe('podEvicted', () => {
  it('repeats the eviction as long as a pod of the budget is not healthy', async () => {
    await expect(
      evicting(cluster([refusal, refusal, { evicted: true }], { currentHealthy: 1 })),
    ).resolves.toBeUndefined();
  });

  it('gives up when the budget allows none although all pods are healthy', async () => {
    await expect(evicting(cluster([refusal], { currentHealthy: 2 }))).rejects.toThrow(
      /gave up early: PodDisruptionBudget web \(minAvailable 2\) allows no eviction/,
    );
  });

  it('gives up when something else keeps the budget from allowing it', async () => {
    const kube = cluster([refusal], { currentHealthy: 1 });
    const unless = () => Promise.resolve('the volume of web-0 is on another node');
    await expect(podEvicted(kube, pod, { unless, clock: sleepingClock() })).rejects.toThrow(
      /gave up early: the volume of web-0/,
    );
  });

  it('does not ask a budget of other pods', async () => {
    const other = { matchLabels: { app: 'other' } };
    await expect(
      evicting(cluster([refusal, { evicted: true }], { currentHealthy: 2 }, other)),
    ).resolves.toBeUndefined();
  });

  it('fails for a pod with several budgets, which the API refuses', async () => {
    const message =
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    const error = new ApiError('evict pod web-1', 500, 'InternalError', message);
    await expect(evicting(cluster([error], {}))).rejects.toMatchObject({ code: 'E_EVICTION' });
  });
});
