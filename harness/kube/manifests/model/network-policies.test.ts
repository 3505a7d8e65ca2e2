import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../api/types.ts';
import { allowsAnybody, answerOf, restricting, type TrafficEnd } from './network-policies.ts';

const policy = (spec: object): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'p' },
  spec,
});
const own = { namespace: 'own' };
const end = (namespace: string, labels: Record<string, string> = {}): TrafficEnd => ({
  namespace,
  labels,
  namespaceLabels: { 'kubernetes.io/metadata.name': namespace },
});
const port = { number: 8080, name: 'http' };
const labelled = (app: string) => ({ podSelector: { matchLabels: { app } } });
const elsewhere = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});

describe('restricting', () => {
  it.each<[string, object, boolean, boolean]>([
    ['both types', { policyTypes: ['Ingress', 'Egress'] }, true, true],
    ['no types and no egress rule', {}, true, false],
    ['no types and an egress rule', { egress: [{}] }, true, true],
    ['another pod', { ...labelled('db'), policyTypes: ['Ingress'] }, false, false],
    ['the pod by label', { ...labelled('web'), policyTypes: ['Egress'] }, false, true],
  ])('reads a policy with %s', (_, spec, ingress, egress) => {
    const found = (direction: 'ingress' | 'egress') =>
      restricting([policy(spec)], direction, { app: 'web' }).length;
    expect([found('ingress') > 0, found('egress') > 0]).toEqual([ingress, egress]);
  });
});

describe('answerOf', () => {
  it.each<[string, object[], TrafficEnd, string]>([
    ['no rule', [], end('own'), 'denied'],
    ['a rule for everything', [{}], end('other'), 'allowed'],
    ['pods of the own namespace', [{ from: [labelled('a')] }], end('own', { app: 'a' }), 'allowed'],
    ['pods of the own namespace only', [{ from: [labelled('a')] }], end('other', { app: 'a' }), 'denied'],
    ['another namespace', [{ from: [elsewhere('other')] }], end('other'), 'allowed'],
    ['both selectors', [{ from: [{ ...elsewhere('other'), ...labelled('a') }] }], end('other'), 'denied'],
    ['one of two peers', [{ from: [elsewhere('x'), labelled('a')] }], end('own', { app: 'a' }), 'allowed'],
    ['addresses', [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }], end('own'), 'unknown'],
    ['the port', [{ ports: [{ port: 8080 }] }], end('own'), 'allowed'],
    ['the name of the port', [{ ports: [{ port: 'http' }] }], end('own'), 'allowed'],
    ['a range of ports', [{ ports: [{ port: 8000, endPort: 9000 }] }], end('own'), 'allowed'],
    ['another port', [{ ports: [{ port: 80 }] }], end('own'), 'denied'],
    ['another protocol', [{ ports: [{ port: 8080, protocol: 'UDP' }] }], end('own'), 'denied'],
  ])('reads %s', (_, ingress, other, answer) => {
    expect(answerOf([policy({ ingress })], 'ingress', own, other, port)).toBe(answer);
  });

  it('reads the peers of egress rules', () => {
    const policies = [policy({ egress: [{ to: [labelled('db')], ports: [{ port: 8080 }] }] })];
    expect(answerOf(policies, 'egress', own, end('own', { app: 'db' }), port)).toBe('allowed');
    expect(answerOf(policies, 'egress', own, end('own', { app: 'web' }), port)).toBe('denied');
  });
});

it('tells whether anybody is admitted to a port', () => {
  const policies = [policy({ ingress: [{ from: [labelled('a')], ports: [{ port: 80 }] }] })];
  expect(allowsAnybody(policies, 'ingress', { number: 80 })).toBe(true);
  expect(allowsAnybody(policies, 'ingress', port)).toBe(false);
});
