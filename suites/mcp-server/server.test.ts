import { describe, expect, it } from 'vitest';
import type { Container, KubeObject } from '../../harness/kube/api/types.ts';
import { portOf, serverIn } from './server.ts';

function deployment(name: string, containers: Container[] = [{ name: 'main', image: 'a:1' }]): KubeObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
}

function service(name: string, app: string, targetPort: number | string = 8080): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app }, ports: [{ port: 80, targetPort }] },
  };
}

const sidecar: Container = {
  name: 'sidecar',
  image: 's:1',
  ports: [{ containerPort: 9000, name: 'metrics' }],
};
const main: Container = { name: 'any', image: 'a:1', ports: [{ containerPort: 8080, name: 'mcp' }] };

describe('serverIn', () => {
  it.each([
    [
      'the workload with a Service, among others',
      [deployment('worker'), deployment('web'), service('s', 'web')],
      'web',
    ],
    ['the only workload, without a Service', [deployment('stdio')], 'stdio'],
  ])('finds %s', (_title, objects, name) => {
    expect(serverIn(objects).model.object.metadata.name).toBe(name);
  });

  it.each([
    ['none', [service('s', 'web')], 'no workload whose pods run without an end'],
    ['two without a Service', [deployment('a'), deployment('b')], 'any of Deployment a, Deployment b'],
    ['two with one', [deployment('a'), deployment('b'), service('s', 'a'), service('t', 'b')], 'any of'],
  ])('does not choose among %s', (_title, objects, says) => {
    expect(() => serverIn(objects)).toThrow(says);
  });

  it.each([
    ['by the name of the port', 'mcp'],
    ['by its number', 8080],
  ])('finds the container that serves %s', (_title, target) => {
    const objects = [deployment('web', [sidecar, main]), service('s', 'web', target)];
    const { container, model } = serverIn(objects);
    expect(container.name).toBe('any');
    const [only] = model.services;
    expect(only && portOf(only).port).toBe(80);
  });

  it('takes the first container where the port belongs to none', () => {
    expect(serverIn([deployment('web', [sidecar, main]), service('s', 'web', 1)]).container.name).toBe(
      'sidecar',
    );
  });
});
