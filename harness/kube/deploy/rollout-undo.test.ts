import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../api/client.ts';
import type { Workload } from '../api/types.ts';
import { rolloutUndo } from './rollout-undo.ts';

const deployment: Workload = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'ns', uid: 'd' },
  spec: { template: { spec: { containers: [] } } },
};

function revision(number: number, owner = 'd'): Workload {
  const image = `app:${number}`;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `web-${number}`,
      annotations: { 'deployment.kubernetes.io/revision': String(number) },
      ownerReferences: [{ kind: 'Deployment', name: 'web', uid: owner }],
    },
    spec: {
      template: {
        metadata: { labels: { app: 'web', 'pod-template-hash': `h${number}` } },
        spec: { containers: [{ name: 'app', image }] },
      },
    },
  };
}

function cluster(replicaSets: Workload[], found: Workload | undefined = deployment) {
  const patches: unknown[] = [];
  const kube = {
    get: () => Promise.resolve(found),
    list: () => Promise.resolve(replicaSets),
    patch: (_kind: unknown, _ref: unknown, patch: unknown) => {
      patches.push(patch);
      return Promise.resolve(deployment);
    },
  } as unknown as KubeClient;
  return { kube, patches };
}

const ref = { name: 'web', namespace: 'ns' };

describe('rolloutUndo', () => {
  it("restores the template of the previous revision, without the controller's label", async () => {
    // 10 is newer than 9: revisions are compared as numbers.
    const { kube, patches } = cluster([revision(9), revision(10), revision(2), revision(11, 'other')]);
    expect((await rolloutUndo(kube, ref)).metadata.name).toBe('web-9');
    expect(patches).toEqual([
      [
        {
          op: 'replace',
          path: '/spec/template',
          value: {
            metadata: { labels: { app: 'web' } },
            spec: { containers: [{ name: 'app', image: 'app:9' }] },
          },
        },
      ],
    ]);
  });

  it('fails without a previous revision', async () => {
    await expect(rolloutUndo(cluster([revision(1)]).kube, ref)).rejects.toThrow(/no previous revision/);
  });
});
