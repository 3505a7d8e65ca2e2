import { describe, expect, it } from 'vitest';
import { newestIsAvailable, periodsToFail, type Conditions } from './deployment.ts';

const available: Conditions[number] = {
  type: 'Available',
  status: 'True',
  reason: 'MinimumReplicasAvailable',
};
const complete: Conditions[number] = {
  type: 'Progressing',
  status: 'True',
  reason: 'NewReplicaSetAvailable',
};
const paused: Conditions[number] = { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused' };

describe('newestIsAvailable', () => {
  it('holds when the Deployment is available by its newest ReplicaSet', () => {
    expect(newestIsAvailable('api', [available, complete])).toEqual({
      ok: true,
      expected: 'conditions of Deployment api: Available True, Progressing True (NewReplicaSetAvailable)',
      actual: 'Available True (MinimumReplicasAvailable), Progressing True (NewReplicaSetAvailable)',
    });
  });

  it.each<[string, Conditions | undefined]>([
    ['paused', [available, paused]],
    ['on its way', [available, { ...complete, reason: 'ReplicaSetUpdated' }]],
    ['unavailable', [{ ...available, status: 'False' }, complete]],
    ['without conditions yet', undefined],
  ])('does not hold when it is %s', (_, conditions) => {
    expect(newestIsAvailable('api', conditions).ok).toBe(false);
  });

  it('reports the present conditions', () => {
    expect(newestIsAvailable('api', [paused]).actual).toBe('Progressing Unknown (DeploymentPaused)');
    expect(newestIsAvailable('api').actual).toBe('no condition');
  });
});

describe('periodsToFail', () => {
  it.each([
    ['the defaults', {}, 6],
    ['a timeout that is longer than the period', { periodSeconds: 2, timeoutSeconds: 5 }, 11],
    ['another threshold', { failureThreshold: 1 }, 4],
  ])('%s', (_title, probe, periods) => {
    expect(periodsToFail(probe)).toBe(periods);
  });
});
