import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../kube/api/types.ts';
import { lasting, modelOf } from '../../../kube/manifests/model/subject-model.ts';
import { claimsFitReplicas, updatesThatWait } from './shared-claims.ts';

function placement(kind: string, fields: object, modes: string[], nodes: string[]) {
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  const objects: KubeObject[] = [
    {
      apiVersion: 'apps/v1',
      kind,
      metadata: { name: 'web' },
      spec: { template: { spec: { containers: [{ name: 'web', image: 'web:1' }], volumes } }, ...fields },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      spec: { accessModes: modes },
    },
  ];
  const [workload] = lasting(modelOf(objects, { namespace: 'demo' }));
  return { workload: workload!, nodes };
}

describe('claimsFitReplicas', () => {
  it.each<[string, string, object, string[], string[], RegExp | undefined]>([
    ['one replica', 'Deployment', {}, ['ReadWriteOnce'], ['n1'], undefined],
    ['a shared mode', 'Deployment', { replicas: 2 }, ['ReadWriteMany'], ['n1', 'n2'], undefined],
    [
      'several replicas',
      'Deployment',
      { replicas: 2 },
      ['ReadWriteOnce'],
      ['n1'],
      /Deployment web has 2 replicas that share claim data with ReadWriteOnce, which ties all of them to node n1/,
    ],
    [
      'a DaemonSet',
      'DaemonSet',
      {},
      ['ReadWriteOnce'],
      ['n1', 'n2'],
      /DaemonSet web has pods on several nodes/,
    ],
    ['a claim that is not rendered', 'Deployment', { replicas: 2 }, [], ['n1'], undefined],
  ])('%s', (_, kind, fields, modes, nodes, complaint) => {
    const result = claimsFitReplicas([placement(kind, fields, modes, nodes)]);
    expect(result.ok).toBe(complaint === undefined);
    expect(result.actual).toMatch(complaint ?? /^nothing is wrong$/);
  });
});

it('names an update that waits for the volume of the pod that it replaces', () => {
  const of = (fields: object) =>
    updatesThatWait([placement('Deployment', fields, ['ReadWriteOnce'], []).workload]);
  expect(of({})).toEqual([
    expect.stringMatching(/Deployment web: an update starts a second pod .* claim data/),
  ]);
  expect(of({ strategy: { type: 'Recreate' } })).toEqual([]);
  expect(of({ replicas: 2 })).toEqual([]);
});
