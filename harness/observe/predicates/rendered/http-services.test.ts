import { describe, expect, it } from 'vitest';
import { lasting, modelOf } from '../../../kube/manifests/model/subject-model.ts';
import type { ModelWorkload } from '../../../kube/manifests/model/model.ts';
import { sampleContainer, sampleDeployment, sampleService } from '../../../testing/sample-objects.ts';
import { httpServicesOf, whyUpdateInterrupts } from './http-services.ts';

function workload(
  container: object,
  spec: Record<string, unknown> = {},
  service: Record<string, unknown> = {},
): ModelWorkload {
  const objects = [
    sampleDeployment({ containers: [sampleContainer(container)] }, spec),
    sampleService(service),
  ];
  return lasting(modelOf(objects, { namespace: 'demo' }))[0]!;
}
const ports = [{ name: 'web', containerPort: 8080 }];
const readinessProbe = { httpGet: { path: '/ready', port: 'web' } };

describe('httpServicesOf', () => {
  const found = (container: object, service: Record<string, unknown>): string[] =>
    httpServicesOf(workload(container, {}, service)).map(({ port, path }) => `${port} ${path}`);

  it.each<[string, object, Record<string, unknown>, string[]]>([
    [
      'a port that an HTTP probe asks',
      { ports, readinessProbe },
      { ports: [{ port: 80, targetPort: 'web' }] },
      ['80 /ready'],
    ],
    [
      'a port that is named http',
      { ports, readinessProbe: undefined, livenessProbe: undefined },
      { ports: [{ name: 'http-api', port: 80, targetPort: 8080 }] },
      ['80 /'],
    ],
    [
      'https',
      { ports, readinessProbe: undefined, livenessProbe: undefined },
      { ports: [{ name: 'https', port: 443, targetPort: 8080 }] },
      [],
    ],
    [
      'a probe over TLS',
      { ports, readinessProbe: { httpGet: { port: 'web', scheme: 'HTTPS' } }, livenessProbe: undefined },
      { ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
      [],
    ],
    ['a headless Service', { ports, readinessProbe }, { clusterIP: 'None', ports: [{ port: 8080 }] }, []],
  ])('%s', (_, container, service, expected) => {
    expect(found(container, service)).toEqual(expected);
  });
});

describe('whyUpdateInterrupts', () => {
  it.each<[string, Record<string, unknown>, RegExp | undefined]>([
    ['the defaults', { replicas: 1 }, undefined],
    ['Recreate', { strategy: { type: 'Recreate' } }, /Recreate/],
    ['no replica', { replicas: 0 }, /0 replicas/],
    ['no pod may be away', { strategy: { rollingUpdate: { maxUnavailable: 0 } } }, undefined],
    [
      'all pods may be away',
      { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: '100%' } } },
      /2 of 2 pods unavailable/,
    ],
    [
      'one pod, neither surge nor absence',
      { replicas: 1, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } } },
      /1 of 1 pods unavailable/,
    ],
  ])('%s', (_, spec, expected) => {
    const why = whyUpdateInterrupts(workload({ ports, readinessProbe }, spec));
    expect(why ?? 'it does not').toMatch(expected ?? /^it does not$/);
  });

  it('needs a readiness probe', () => {
    expect(whyUpdateInterrupts(workload({ ports, readinessProbe: undefined }))).toMatch(/no readiness probe/);
  });
});
