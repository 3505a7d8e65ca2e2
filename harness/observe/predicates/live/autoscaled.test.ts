import { describe, expect, it } from 'vitest';
import type { KubeObject, Pod } from '../../../kube/api/types.ts';
import { conditionOf, lackingRequests, measuresResourcesOnly, scaledKind, targetOf } from './autoscaled.ts';

const hpa = (metrics: object[] | undefined, conditions?: object[]): KubeObject => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web' },
  spec: { ...(metrics && { metrics }) },
  ...(conditions && { status: { conditions } }),
});
const cpu = (type: string) => ({ type: 'Resource', resource: { name: 'cpu', target: { type } } });
const ofContainer = (container: string) => ({
  type: 'ContainerResource',
  containerResource: { name: 'cpu', container, target: { type: 'Utilization' } },
});
const pods = [
  {
    metadata: { name: 'web-1' },
    spec: {
      initContainers: [{ name: 'setup', image: 'i' }],
      containers: [
        { name: 'web', image: 'i', resources: { requests: { cpu: '1m' } } },
        { name: 'proxy', image: 'i' },
      ],
    },
  },
] as unknown as Pod[];

describe('lackingRequests', () => {
  it.each<[string, object[] | undefined, number]>([
    ['the default metric', undefined, 1],
    ['a utilization', [cpu('Utilization')], 1],
    ['an absolute value', [cpu('AverageValue')], 0],
    ['a container with the request', [ofContainer('web')], 0],
    ['a container without it', [ofContainer('proxy')], 1],
    ['another kind of metric', [{ type: 'External' }], 0],
  ])('judges %s', (_, metrics, found) => {
    expect(lackingRequests(hpa(metrics), pods)).toHaveLength(found);
  });

  it('names container and resource', () => {
    expect(lackingRequests(hpa(undefined), pods)).toEqual([
      'HorizontalPodAutoscaler web cannot scale: container proxy requests no cpu, to which the utilization is relative',
    ]);
  });
});

it('tells metrics of resources from others', () => {
  expect(measuresResourcesOnly(hpa([cpu('Utilization')]))).toBe(true);
  expect(measuresResourcesOnly(hpa([cpu('Utilization'), { type: 'External' }]))).toBe(false);
});

it('reads a condition, which is missing at first', () => {
  const condition = { type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message: 'not found' };
  expect(conditionOf(hpa([]), 'AbleToScale')).toBeUndefined();
  expect(conditionOf(undefined, 'AbleToScale')).toBeUndefined();
  expect(conditionOf(hpa([], [condition]), 'AbleToScale')).toEqual({
    holds: false,
    reason: 'FailedGetScale',
    message: 'not found',
  });
});

describe('targetOf', () => {
  const able = (status: string, reason: string, message = ''): KubeObject =>
    hpa([], [{ type: 'AbleToScale', status, reason, message }]);
  it.each<[string, KubeObject | undefined, string]>([
    ['no status', hpa([]), 'unknown'],
    ['no object', undefined, 'unknown'],
    ['a target', able('True', 'ReadyForNewScale'), 'found'],
    ['a pause after scaling', able('True', 'BackoffBoth'), 'found'],
    ['a missing target', able('False', 'FailedGetScale', 'deployments.apps "x" not found'), 'missing'],
    ['an API that does not answer', able('False', 'FailedGetScale', 'the server timed out'), 'unknown'],
    ['an unknown kind', able('False', 'FailedGetScale', 'no matches for kind "Rollout"'), 'unknown'],
  ])('knows of %s', (_, object, state) => {
    expect(targetOf(object).state).toBe(state);
  });
});

it.each([
  [{ apiVersion: 'apps/v1', kind: 'Deployment' }, 'apps/v1'],
  [{ kind: 'ReplicationController' }, 'v1'],
])('scaledKind reads the API of %o', (ref, apiVersion) => {
  const object = { ...hpa([]), spec: { scaleTargetRef: { ...ref, name: 'x' } } };
  expect(scaledKind(object)).toMatchObject({ apiVersion, kind: ref.kind });
});
