import { describe, expect, it } from 'vitest';
import type { Container, KubeObject } from '../api/types.ts';
import { differences } from './normalize.ts';
import { object, sampleDeployment } from '../../testing/sample-objects.ts';

/** The live twin as an API server would give it back: defaults, status, an injected volume. */
function live(change: (spec: LiveSpec) => void = () => {}): ReturnType<typeof sampleDeployment> {
  const twin = structuredClone(sampleDeployment());
  twin.metadata = { ...twin.metadata, uid: '1', labels: { extra: 'x' } };
  Object.assign(twin, { status: { replicas: 2 } });
  const pod = spec(twin);
  Object.assign(pod, { dnsPolicy: 'ClusterFirst' });
  pod.volumes.push({ name: 'token' });
  change(pod);
  return twin;
}

interface LiveSpec {
  containers: Required<Pick<Container, 'image' | 'resources' | 'name' | 'env'>>[];
  volumes: { name: string }[];
}

function spec(deployment: KubeObject): LiveSpec {
  return (deployment['spec'] as { template: { spec: unknown } }).template.spec as LiveSpec;
}

describe('differences', () => {
  it('finds none when only defaults, status and injected things were added', () => {
    expect(differences(sampleDeployment(), live())).toEqual([]);
  });

  it('takes 0.5 for 500m, and 512Mi for its bytes, but only where quantities stand', () => {
    const same = live(
      (pod) =>
        (pod.containers[0]!.resources = {
          requests: { cpu: '0.1', memory: '134217728' },
          limits: { cpu: '0.5', memory: '0.5Gi' },
        }),
    );
    expect(differences(sampleDeployment(), same)).toEqual([]);
    const [wanted, has] = ['1000m', '1'].map((v) => object('v1', 'ConfigMap', 'c', { data: { cpu: v } }));
    expect(differences(wanted!, has!)).toEqual([{ path: '/data/cpu', expected: '1000m', actual: '1' }]);
  });

  it('matches members of a list by name, whatever their order', () => {
    const twin = live((pod) =>
      pod.containers.unshift({ name: 'injected', image: 'x', resources: {}, env: [] }),
    );
    expect(differences(sampleDeployment(), twin)).toEqual([]);
  });

  it.each<[string, Parameters<typeof live>[0], unknown]>([
    [
      'another value',
      (pod) => (pod.containers[0]!.image = 'x:2'),
      { path: '/spec/template/spec/containers/web/image', expected: 'example.org/web:1.2.3', actual: 'x:2' },
    ],
    [
      'another quantity',
      (pod) => (pod.containers[0]!.resources.limits!['cpu'] = '2'),
      { path: '/spec/template/spec/containers/web/resources/limits/cpu', expected: '500m', actual: '2' },
    ],
    [
      'a missing member',
      (pod) => pod.volumes.shift(),
      {
        path: '/spec/template/spec/volumes/config',
        expected: expect.anything() as unknown,
        actual: undefined,
      },
    ],
  ])('shows %s at its deepest path only', (_title, change, expected) => {
    expect(differences(sampleDeployment(), live(change))).toEqual([expected]);
  });

  it.each([
    ['false', { hostNetwork: false }],
    ['an empty map', { resources: {} }],
    ['an empty list', { args: [] }],
    ['zero', { delay: 0 }],
  ])('takes %s for a field that the server left out', (_title, fields) => {
    expect(
      differences(object('v1', 'Thing', 'x', { spec: fields }), object('v1', 'Thing', 'x', { spec: {} })),
    ).toEqual([]);
  });

  it('counts length and order of a list without a key', () => {
    const thing = (args: string[]): ReturnType<typeof object> =>
      object('v1', 'Thing', 'x', { spec: { args } });
    expect(differences(thing(['a', 'b']), thing(['a']))).toHaveLength(1);
    expect(differences(thing(['a', 'b']), thing(['b', 'a']))).toHaveLength(2);
  });

  it('compares stringData with the data that it becomes', () => {
    const secret = (fields: Record<string, unknown>): ReturnType<typeof object> =>
      object('v1', 'Secret', 's', fields);
    expect(differences(secret({ stringData: { k: 'v' } }), secret({ data: { k: 'dg==' } }))).toEqual([]);
    expect(differences(secret({ stringData: { k: 'v' } }), secret({ data: {} }))).toHaveLength(1);
  });
});
