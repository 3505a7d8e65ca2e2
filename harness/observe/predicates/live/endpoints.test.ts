import { describe, expect, it } from 'vitest';
import { makePod } from '../../../testing/sample-world.ts';
import type { EndpointSlice, Service } from '../../../kube/api/types.ts';
import { endpointsMatch } from './endpoints.ts';

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
};
const pod = (name: string, podIP: string, ready = true, labels = { app: 'web' }) =>
  makePod({
    name,
    labels,
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    status: { podIP },
  });
const slice = (
  endpoints: [string, string, boolean?][],
  ports = [{ name: 'http', port: 3000 }],
): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-x', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: endpoints.map(([ip, name, ready = true]) => ({
    addresses: [ip],
    conditions: { ready },
    targetRef: { kind: 'Pod', name },
  })),
  ports,
});
const both = [pod('a', '10.0.0.1'), pod('b', '10.0.0.2')];

describe('endpointsMatch', () => {
  it('holds for exactly the ready pods, over several slices', () => {
    expect(
      endpointsMatch(service, [slice([['10.0.0.1', 'a']]), slice([['10.0.0.2', 'b']])], both),
    ).toMatchObject({ ok: true, details: [] });
  });

  it('ignores slices of another Service and endpoints that are not ready', () => {
    const other = {
      ...slice([['10.0.0.9', 'x']]),
      metadata: { name: 'o', labels: { 'kubernetes.io/service-name': 'other' } },
    };
    const pods = [both[0]!, pod('b', '10.0.0.2', false)];
    expect(
      endpointsMatch(
        service,
        [
          slice([
            ['10.0.0.1', 'a'],
            ['10.0.0.2', 'b', false],
          ]),
          other,
        ],
        pods,
      ).ok,
    ).toBe(true);
  });

  it.each([
    [
      'a ready pod without traffic',
      [slice([['10.0.0.1', 'a']])],
      both,
      /ready pod b \(10.0.0.2\) gets no traffic/,
    ],
    [
      'a foreign pod',
      [
        slice([
          ['10.0.0.1', 'a'],
          ['10.0.0.2', 'b'],
          ['10.0.0.7', 'stranger'],
        ]),
      ],
      both,
      /pod stranger \(10.0.0.7\) gets traffic and is not one of the pods/,
    ],
    [
      'a pod that is not ready',
      [
        slice([
          ['10.0.0.1', 'a'],
          ['10.0.0.2', 'b'],
        ]),
      ],
      [both[0]!, pod('b', '10.0.0.2', false)],
      /pod b .* although it is not ready/,
    ],
    [
      'labels that the Service does not select',
      [slice([['10.0.0.1', 'a']])],
      [both[0]!, pod('b', '10.0.0.2', true, { app: 'wep' })],
      /the Service selects app=web, the pod has wep/,
    ],
    [
      'a port that no pod has',
      [
        slice(
          [
            ['10.0.0.1', 'a'],
            ['10.0.0.2', 'b'],
          ],
          [],
        ),
      ],
      both,
      /port http leads nowhere: no pod has a port http/,
    ],
  ])('names %s', (_, slices, pods, detail) => {
    const result = endpointsMatch(service, slices, pods);
    expect(result.ok).toBe(false);
    expect(result.details?.join('\n')).toMatch(detail);
  });

  it('does not mind a selected pod without the port: nothing leads to it', () => {
    const own = slice([
      ['10.0.0.1', 'a'],
      ['10.0.0.2', 'b'],
    ]);
    expect(endpointsMatch(service, [own, slice([['10.0.0.7', 'worker']], [])], both).ok).toBe(true);
  });

  it('does not hold without pods', () => {
    expect(endpointsMatch(service, [], []).ok).toBe(false);
  });
});
