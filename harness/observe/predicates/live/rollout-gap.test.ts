import { describe, expect, it } from 'vitest';
import { makeDeployment, makePod } from '../../../testing/sample-world.ts';
import type { Pod, Workload } from '../../../kube/api/types.ts';
import { rolloutGap } from './rollout-gap.ts';

const done = { replicas: 3, updatedReplicas: 3, availableReplicas: 3, readyReplicas: 3 };
const terminating = makePod({ name: 'old', metadata: { deletionTimestamp: '2026-03-01T12:00:00Z' } });

describe('rolloutGap', () => {
  it.each<[string, Partial<Workload['status'] & object>, Pod[], string | undefined]>([
    ['a complete rollout', done, [], undefined],
    [
      'spec not observed',
      { ...done, observedGeneration: 0 },
      [],
      'the controller has not seen the latest spec yet',
    ],
    [
      'too few updated replicas',
      { ...done, updatedReplicas: 1, availableReplicas: 3 },
      [],
      '1 of 3 replicas updated, 3 available',
    ],
    ['too few available replicas', { ...done, availableReplicas: 2 }, [], '2 of 3 replicas available'],
    ['an old replica', { ...done, replicas: 4 }, [], '1 old replica still there'],
    [
      'a terminating old pod',
      done,
      [terminating],
      'all of 3 replicas available, 1 old pod still terminating',
    ],
  ])('%s', (_, status, pods, gap) => {
    expect(rolloutGap(makeDeployment({ status }), pods)).toBe(gap);
  });

  it('counts nodes for a DaemonSet', () => {
    const status = { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2 };
    expect(rolloutGap(makeDeployment({ kind: 'DaemonSet', status }), [])).toBe('2 of 3 nodes available');
  });
});
