import { describe, expect, it } from 'vitest';
import { makeDeployment, makePod, makeReplicaSet } from '../../testing/sample-world.ts';
import type { KubeClient } from './client.ts';
import type { Pod } from './types.ts';
import { ownPods, podsOf } from './workload-pods.ts';

const owner = { kind: 'ReplicaSet', name: 'web-abc', uid: 'uid-web-abc' };
const deployment = makeDeployment();

function kubeWith(pods: Pod[]): KubeClient {
  const list = (kind: string) => Promise.resolve(kind === 'Pod' ? pods : [makeReplicaSet()]);
  return { list } as unknown as KubeClient;
}

describe('ownPods', () => {
  it.each<[string, Pod, boolean]>([
    ['selected and owned', makePod({ owner }), true],
    ['selected, with another owner', makePod({ owner: { ...owner, uid: 'uid-other' } }), false],
    ['selected, without an owner', makePod({}), false],
    ['owned, with other labels', makePod({ owner, labels: { app: 'else' } }), false],
  ])('%s', (_, pod, own) => {
    expect(ownPods(deployment, [pod], [makeReplicaSet()])).toEqual(own ? [pod] : []);
  });
});

describe('podsOf', () => {
  it('leaves out terminating and failed pods', async () => {
    const pods = [
      makePod({ name: 'running', owner }),
      makePod({ name: 'old', owner, metadata: { deletionTimestamp: '2026-03-01T12:00:00Z' } }),
      makePod({ name: 'evicted', owner, phase: 'Failed' }),
    ];
    const found = await podsOf(kubeWith(pods), deployment);
    expect(found.map((p) => p.metadata.name)).toEqual(['running']);
  });

  it('rejects a workload without pods', async () => {
    await expect(podsOf(kubeWith([]), deployment)).rejects.toMatchObject({ code: 'E_SELECTED_NOTHING' });
  });
});
