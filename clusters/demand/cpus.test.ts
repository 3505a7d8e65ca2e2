import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import type { Topology } from '../../harness/kube/cluster/cluster.ts';
import { cpusFor, cpusWish } from './cpus.ts';

const topology: Topology = {
  groups: [
    { name: 'tools', count: 3, labels: { role: 'tools' } },
    { name: 'gpu', count: 2, taints: [{ key: 'gpu', value: 'true', effect: 'NoSchedule' }] },
  ],
};
const release = { namespace: 'default' };

function deployment(cpu: string | undefined, replicas = 3): KubeObject {
  const resources = cpu === undefined ? {} : { requests: { cpu } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          nodeSelector: { role: 'tools' },
          containers: [{ name: 'app', image: 'web:1', resources }],
        },
      },
    },
  };
}

describe('the CPUs that nodes have to report', () => {
  it('are enough for nine releases, with a pod more for the update of each, on the nodes that the pods may use', () => {
    // 9 × 4 × 500m on 3 nodes are 6 CPUs, and a pod that finds no gap, and one for the system.
    const found = cpusFor([deployment('500m')], topology, release);
    expect(found).toEqual({ cpus: 8, why: 'cpu requests of Deployment web, 2000m for each release' });
    expect(cpusWish({ cpus: 8, why: 'a' })).toEqual({ what: 'nodes that report 8 CPUs each', why: 'a' });
  });

  it('are enough for the largest pod', () => {
    expect(cpusFor([deployment('6', 1)], topology, release)?.cpus).toBeGreaterThan(6);
  });

  it.each([
    ['no pod requests cpu', [deployment(undefined)]],
    ['there are no pods', []],
  ])('do not matter when %s', (_title, objects) => {
    expect(cpusFor(objects, topology, release)).toBeUndefined();
  });
});
