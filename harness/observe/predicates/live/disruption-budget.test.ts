import { expect, it } from 'vitest';
import type { KubeObject } from '../../../kube/api/types.ts';
import { neverAllows } from './disruption-budget.ts';

const budget = (status: object, spec: object = { minAvailable: 2 }): KubeObject => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web', generation: 1 },
  spec,
  status: { observedGeneration: 1, currentHealthy: 2, expectedPods: 2, disruptionsAllowed: 0, ...status },
});

it.each<[string, KubeObject, RegExp | undefined]>([
  [
    'as many as there are',
    budget({}),
    /web \(minAvailable 2\) allows no eviction although all of its 2 pods are healthy/,
  ],
  [
    'one replica',
    budget({ currentHealthy: 1, expectedPods: 1 }, { maxUnavailable: 0 }),
    /maxUnavailable 0.* its only pod is healthy/,
  ],
  ['an unhealthy pod', budget({ currentHealthy: 1 }), undefined],
  ['an allowed eviction', budget({ disruptionsAllowed: 1 }), undefined],
  ['no pod', budget({ currentHealthy: 0, expectedPods: 0 }), undefined],
  ['an old status', budget({ observedGeneration: 0 }), undefined],
  [
    'pods that cannot be counted',
    budget({
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'no scale' }],
    }),
    /allows no eviction: no scale/,
  ],
])('%s', (_, object, expected) => {
  expect(neverAllows(object) ?? 'it may').toMatch(expected ?? /^it may$/);
});
