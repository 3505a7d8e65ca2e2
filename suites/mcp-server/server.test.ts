import { describe, expect, it } from 'vitest';
import type { Container, KubeObject } from '../../harness/kube/api/types.ts';
import { healthPathOf, onlyService, portOf, serverIn, targetOf, variablesOf } from './server.ts';

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

describe('the Service of a server', () => {
  const named = (name: string, port: number) => ({ name, port, targetPort: port });
  const withSpec = (name: string, spec: object): KubeObject => ({
    ...service(name, 'web'),
    spec: { selector: { app: 'web' }, ports: [named('any', 80)], ...spec },
  });
  const modelWith = (...services: KubeObject[]) => serverIn([deployment('web'), ...services]).model;

  it('is the one with an address, beside a headless one', () => {
    const headless = withSpec('pods', { clusterIP: 'None' });
    expect(onlyService(modelWith(headless, withSpec('web', {}))).metadata.name).toBe('web');
    expect(onlyService(modelWith(headless)).metadata.name).toBe('pods');
    expect(() => onlyService(modelWith(withSpec('a', {}), withSpec('b', {})))).toThrow('2 Services');
  });

  it.each([
    ['the port with the name of the protocol', [named('metrics', 9000), named('mcp', 8080)], 8080],
    ['the first one otherwise', [named('metrics', 9000), named('grpc', 8080)], 9000],
  ])('is called at %s', (_title, ports, port) => {
    expect(portOf(onlyService(modelWith(withSpec('web', { ports })))).port).toBe(port);
  });

  it.each<[string, Partial<Container>, string | undefined]>([
    ['a readiness probe', { readinessProbe: { httpGet: { path: '/ready', port: 'mcp' } } }, '/ready'],
    ['a probe without a path', { livenessProbe: { httpGet: { port: 8080 } } }, '/'],
    ['a probe of another port', { livenessProbe: { httpGet: { path: '/x', port: 9000 } } }, undefined],
    [
      'a probe with TLS',
      { livenessProbe: { httpGet: { path: '/x', port: 8080, scheme: 'HTTPS' } } },
      undefined,
    ],
    ['no probe', {}, undefined],
  ])('is asked for its health at the path of %s', (_title, probes, path) => {
    const model = modelWith(withSpec('web', { ports: [{ port: 80, targetPort: 'mcp' }] }));
    const container = { ...main, ...probes };
    expect(targetOf(onlyService(model), container)).toBe(8080);
    expect(healthPathOf(onlyService(model), container)).toBe(path);
  });
});

it('variables that a chart has made a map of are no list to look at', () => {
  expect(variablesOf(main)).toEqual([]);
  expect(() => variablesOf({ ...main, env: { COLOUR: 'blue' } } as unknown as Container)).toThrow(
    'takes them in another form',
  );
});
