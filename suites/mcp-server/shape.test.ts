import { describe, expect, it } from 'vitest';
import type { Container, KubeObject } from '../../harness/kube/api/types.ts';
import { differences, shapeOf } from './shape.ts';

const container: Container = {
  name: 'server',
  image: 'a:1',
  ports: [{ name: 'mcp', containerPort: 8080 }],
  env: [
    { name: 'MCP_PORT', value: '8080' },
    { name: 'GITHUB_TOKEN', valueFrom: { secretKeyRef: { name: 's', key: 'token' } } },
  ],
  envFrom: [{ configMapRef: { name: 'c' } }],
  resources: { limits: { cpu: '500m' } },
  readinessProbe: { httpGet: { path: '/health', port: 'mcp' } },
};

function system(labels: Record<string, string>, changed: Partial<Container> = {}): KubeObject[] {
  const spec = { containers: [{ ...container, ...changed }] };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { LEVEL: 'info' } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'any' },
      spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'any' },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 'mcp' }] },
    },
  ] as KubeObject[];
}

const shape = (changed: Partial<Container> = {}, labels = { app: 'a' }) =>
  shapeOf(system(labels, changed), { namespace: 'default' });

describe('shapeOf', () => {
  it('has what the server notices, secrets without their values', () => {
    expect(Object.fromEntries(shape())).toEqual({
      replicas: '2',
      image: 'a:1',
      'standard input': 'closed',
      'limits of cpu': '0.5',
      readinessProbe: 'present',
      'form of readinessProbe': 'GET /health',
      livenessProbe: 'none',
      'variable LEVEL': 'info',
      'variable MCP_PORT': '8080',
      'variable GITHUB_TOKEN': 'from a Secret',
      Service: 'one',
      'type of the Service': 'ClusterIP',
      'port of the Service': '80',
      'port of the server': '8080',
    });
  });
});

describe('differences', () => {
  it('finds none between other labels and the same quantity in another unit', () => {
    expect(
      differences(shape(), shape({ resources: { limits: { cpu: 0.5 } } as never }, { app: 'b' })),
    ).toEqual([]);
  });

  it.each([
    ['another value', { image: 'a:2' }, 'image: a:1 and a:2'],
    ['a missing fact', { resources: {} }, 'limits of cpu: 0.5 and absent'],
    [
      'another form of a probe',
      { readinessProbe: { tcpSocket: { port: 'mcp' } } },
      'form of readinessProbe: GET /health and tcpSocket',
    ],
    [
      'a missing probe',
      { readinessProbe: undefined as never },
      'form of readinessProbe: GET /health and absent',
    ],
  ])('finds %s', (_title, changed, says) => {
    expect(differences(shape(), shape(changed)).map((one) => one.says)).toContain(says);
  });
});
