import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { object } from '../../../harness/testing/sample-objects.ts';
import { isExampleIngress, routesExist } from './ingress.ts';

interface Changes {
  path?: string;
  name?: string;
  port?: { number?: number; name?: string };
  certified?: string;
}

function ingress({
  path = '/',
  name = 'tool-registry-api',
  port = { number: 8000 },
  ...rest
}: Changes = {}): KubeObject {
  const backend = { service: { name, port } };
  return object('networking.k8s.io/v1', 'Ingress', 'registry', {
    spec: {
      tls: [{ hosts: [rest.certified ?? 'api.example.org'], secretName: 'registry-tls' }],
      rules: [{ host: 'api.example.org', http: { paths: [{ path, pathType: 'Prefix', backend }] } }],
    },
  });
}

const service = object('v1', 'Service', 'tool-registry-api', {
  spec: { ports: [{ name: 'http', port: 8000 }] },
});

describe('isExampleIngress', () => {
  it.each<[string, Changes, string]>([
    ['as documented', {}, 'nothing is wrong'],
    ['a part only', { path: '/mcp' }, 'it does not route everything below / (Prefix)'],
    ['another Service', { name: 'web' }, 'it routes to web:8000'],
    ['another port', { port: { number: 80 } }, 'it routes to tool-registry-api:80'],
    ['the certificate of another host', { certified: 'www.example.org' }, 'no certificate is for its host'],
  ])('%s', (_title, changes, actual) => {
    expect(isExampleIngress(ingress(changes)).actual).toBe(actual);
  });
});

describe('routesExist', () => {
  it.each<[string, Changes, string]>([
    ['by number', {}, 'nothing is wrong'],
    ['by name', { port: { name: 'http' } }, 'nothing is wrong'],
    ['to no Service', { name: 'web' }, 'there is no Service web'],
    ['to no port', { port: { number: 80 } }, 'Service tool-registry-api has port 8000, not 80'],
  ])('%s', (_title, changes, actual) => {
    expect(routesExist(ingress(changes), [service]).actual).toBe(actual);
  });
});
