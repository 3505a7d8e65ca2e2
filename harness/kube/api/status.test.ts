import { expect, it } from 'vitest';
import { toApiError } from './status.ts';

const refusal = (message: string): string => JSON.stringify({ kind: 'Status', reason: 'Forbidden', message });

it.each([
  [
    'a missing permission',
    'pods is forbidden: User "ci" cannot create resource "pods" in API group "" in the namespace "demo"',
    /lacks this permission/,
  ],
  [
    'an exhausted quota',
    'pods "probe" is forbidden: exceeded quota: web-pods, requested: pods=1, used: pods=3, limited: pods=3',
    /ResourceQuota of the namespace/,
  ],
  [
    'a webhook',
    'admission webhook "pods.guard.example.test" denied the request: no',
    /admission rule of the cluster or of the release/,
  ],
  [
    'Pod Security',
    'pods "probe" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
    /admission rule of the cluster or of the release/,
  ],
])('a 403 from %s has its own advice', (_, message, hint) => {
  const error = toApiError('could not create Pod demo/probe', 403, refusal(message));
  expect(error.message).toContain(message);
  expect(error.hint).toMatch(hint);
});
