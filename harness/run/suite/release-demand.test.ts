import { describe, expect, it } from 'vitest';
import type { KubeObject, PodSpec } from '../../kube/api/types.ts';
import { makeNode } from '../../testing/sample-world.ts';
import { releaseDemand, times } from './release-demand.ts';

const TAINT = { key: 'gpu', effect: 'NoSchedule' };
const NODES = [
  makeNode('plane', { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] }),
  makeNode('one', { labels: { disk: 'ssd' } }),
  makeNode('two'),
  makeNode('gpu', { taints: [TAINT] }),
];

interface Parts {
  name?: string;
  cpu?: string;
  pod?: Partial<PodSpec>;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
}

function workload(
  kind: string,
  spec: Record<string, unknown>,
  { name = 'web', cpu = '500m', pod = {}, annotations = {}, labels = {} }: Parts = {},
): KubeObject {
  const containers = [{ name: 'app', image: 'web:1', resources: { requests: { cpu } } }];
  const apiVersion = kind === 'Job' || kind === 'CronJob' ? 'batch/v1' : 'apps/v1';
  const template = { metadata: { labels }, spec: { containers, ...pod } };
  const metadata = { name, annotations };
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata, spec: template.spec };
  if (kind === 'CronJob')
    return { apiVersion, kind, metadata, spec: { jobTemplate: { spec: { template } } } };
  return { apiVersion, kind, metadata, spec: { ...spec, template } };
}

/** `web 500m` for each pod; `+` for that of an update, `@node` for that of a DaemonSet. */
function demand(...objects: KubeObject[]): string[] {
  return releaseDemand(objects, NODES, { namespace: 'demo' }).map(
    ({ of, requests, surge, node, apart }) =>
      `${of.split(' ').at(-1)!} ${requests.cpu}m${surge ? ' +' : ''}${node === undefined ? '' : ` @${node}`}${apart ? ' apart' : ''}`,
  );
}

const hook = (events: string): Record<string, string> => ({ 'helm.sh/hook': events });

describe('releaseDemand', () => {
  it.each<[string, KubeObject, string[]]>([
    ['one replica by default', workload('StatefulSet', {}), ['web 500m']],
    ['each replica', workload('StatefulSet', { replicas: 2 }), ['web 500m', 'web 500m']],
    ['no replica', workload('Deployment', { replicas: 0 }), []],
    ['a pod more of a Deployment', workload('Deployment', { replicas: 1 }), ['web 500m', 'web 500m +']],
    [
      'one more, however many an update starts',
      workload('Deployment', { replicas: 2, strategy: { rollingUpdate: { maxSurge: '100%' } } }),
      ['web 500m', 'web 500m', 'web 500m +'],
    ],
    [
      'none more without surge',
      workload('Deployment', { replicas: 1, strategy: { rollingUpdate: { maxSurge: 0 } } }),
      ['web 500m'],
    ],
    [
      'none more of Recreate',
      workload('Deployment', { replicas: 1, strategy: { type: 'Recreate' } }),
      ['web 500m'],
    ],
    [
      'the pods of a Job at once',
      workload('Job', { parallelism: 3, completions: 2 }),
      ['web 500m', 'web 500m'],
    ],
    ['a Pod', workload('Pod', {}), ['web 500m']],
    ['none of a CronJob', workload('CronJob', {}), []],
    ['none of a test', workload('Pod', {}, { annotations: hook('test') }), []],
    [
      'a pod of a DaemonSet for each node that it fits',
      workload('DaemonSet', {}),
      ['web 500m @one', 'web 500m @two'],
    ],
    [
      'by its selector',
      workload('DaemonSet', {}, { pod: { nodeSelector: { disk: 'ssd' } } }),
      ['web 500m @one'],
    ],
    [
      'and by its tolerations',
      workload('DaemonSet', {}, { pod: { tolerations: [{ operator: 'Exists' }] } }),
      ['web 500m @plane', 'web 500m @one', 'web 500m @two', 'web 500m @gpu'],
    ],
  ])('has %s', (_, object, wanted) => {
    expect(demand(object)).toEqual(wanted);
  });

  it('takes the least number of an autoscaler', () => {
    const autoscaler: KubeObject = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: { minReplicas: 2, maxReplicas: 9, scaleTargetRef: { kind: 'StatefulSet', name: 'web' } },
    };
    expect(demand(workload('StatefulSet', {}), autoscaler)).toEqual(['web 500m', 'web 500m']);
  });

  it('has the largest of the hooks, which run one after the other', () => {
    expect(
      demand(
        workload('StatefulSet', {}),
        workload('Job', {}, { name: 'before', cpu: '100m', annotations: hook('pre-install') }),
        workload('Job', {}, { name: 'after', cpu: '200m', annotations: hook('post-install') }),
      ),
    ).toEqual(['web 500m', 'after 200m']);
  });

  it.each([
    ['its own pods', { app: 'web' }, 'kubernetes.io/hostname', ' apart'],
    ['others', { app: 'other' }, 'kubernetes.io/hostname', ''],
    ['its own pods per zone', { app: 'web' }, 'topology.kubernetes.io/zone', ''],
  ])('knows required anti-affinity against %s', (_, matchLabels, topologyKey, apart) => {
    const rule = {
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels }, topologyKey }],
    };
    const pod = { affinity: { podAntiAffinity: rule } };
    expect(demand(workload('StatefulSet', {}, { pod, labels: { app: 'web' } }))).toEqual([
      `web 500m${apart}`,
    ]);
  });
});

it('the pods of several releases are different workloads', () => {
  const one = releaseDemand([workload('StatefulSet', {})], NODES, { namespace: 'demo' });
  expect(times(one, 2, 'T-66').map(({ of }) => of)).toEqual([
    'T-66 1 StatefulSet web',
    'T-66 2 StatefulSet web',
  ]);
});
