import { expect, it } from 'vitest';
import type { KubeObject } from './types.ts';
import { whyTerminating } from './terminating.ts';

const deleted = { deletionTimestamp: '2026-03-01T12:00:00Z' };
const object = (metadata: object, status?: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'n', ...metadata },
  ...(status && { status }),
});
const remaining = (status: string) => ({
  conditions: [
    { type: 'NamespaceDeletionDiscoveryFailure', status: 'False', message: 'All resources discovered' },
    { type: 'NamespaceFinalizersRemaining', status, message: 'finalizers remaining: x/y in 1 instances' },
  ],
});

it.each([
  ['is not deleted', object({}), undefined],
  ['has finalizers', object({ ...deleted, finalizers: ['a/b', 'c'] }), 'it waits for its finalizers a/b, c'],
  ['has content', object(deleted, remaining('True')), 'finalizers remaining: x/y in 1 instances'],
  ['says nothing', object(deleted, remaining('False')), 'it is being deleted'],
])('explains an object that %s', (_what, terminating, why) => {
  expect(whyTerminating(terminating)).toBe(why);
});
