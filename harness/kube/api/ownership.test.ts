import { expect, it } from 'vitest';
import { managersOf } from './ownership.ts';
import type { KubeObject } from './types.ts';

it('names each writer of an object once, and not those of its status', () => {
  const managedFields = [
    { manager: 'helm' },
    { manager: 'kube-controller-manager', subresource: 'status' },
    { manager: 'helm' },
    { manager: 'kubectl-edit' },
  ];
  const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's', managedFields } } as KubeObject;
  expect(managersOf(object)).toEqual(['helm', 'kubectl-edit']);
  expect(managersOf({ ...object, metadata: { name: 's' } })).toEqual([]);
});
