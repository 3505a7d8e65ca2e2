import { expect, it } from 'vitest';
import type { Service } from '../../../kube/api/types.ts';
import { pendingAddress } from './load-balancer.ts';

const service = (type: string, loadBalancer: object): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { type },
  status: { loadBalancer },
});

it.each([{}, { ingress: null }, { ingress: [] }])(
  'an address that is pending is noted (%j)',
  (loadBalancer) => {
    expect(pendingAddress(service('LoadBalancer', loadBalancer))).toMatch(
      /^Service web is of type LoadBalancer, and its external address is pending/,
    );
  },
);

it.each([
  ['an address that was given out', service('LoadBalancer', { ingress: [{ ip: '192.0.2.1' }] })],
  ['a Service that asks for none', service('ClusterIP', {})],
])('%s is not', (_, given) => {
  expect(pendingAddress(given)).toBeUndefined();
});
