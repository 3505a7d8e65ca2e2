import { expect, it } from 'vitest';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import { clusterInventory, inventory } from './inventory.ts';

const kind = (name: string, namespaced = false, verbs = ['list', 'delete']) => ({
  apiVersion: 'x/v1',
  kind: name,
  plural: `${name.toLowerCase()}s`,
  namespaced,
  verbs,
});

it('lists cluster-scoped objects and what helm installed, without kinds of the control plane', async () => {
  const asked: Record<string, unknown> = {};
  const kube = {
    resources: () =>
      Promise.resolve([
        kind('ClusterRole'),
        kind('ClusterRoleBinding'),
        kind('Forbidden'),
        kind('Node'),
        kind('NodeMetrics', false, ['list']),
        kind('Event', true),
        kind('RoleBinding', true),
      ]),
    list: ((ref: { kind: string }, options: unknown) => {
      asked[ref.kind] = options;
      if (ref.kind === 'Forbidden') return Promise.reject(new ApiError('list', 403, 'Forbidden', 'no'));
      return Promise.resolve([{ ...ref, metadata: { name: 'one' } }]);
    }) as KubeClient['list'],
  };
  const { objects, unreadable } = await clusterInventory(kube);
  expect(objects.map((object) => object.kind)).toEqual(['ClusterRole', 'ClusterRoleBinding', 'RoleBinding']);
  expect(unreadable).toEqual(['Forbidden']);
  expect(asked).toEqual({
    ClusterRole: { metadataOnly: true },
    // Its subjects say to whom it belongs.
    ClusterRoleBinding: { metadataOnly: false },
    Forbidden: { metadataOnly: true },
    RoleBinding: { labelSelector: 'app.kubernetes.io/managed-by=Helm', metadataOnly: true },
  });
});

it('counts a kind whose definition is deleted meanwhile as empty', async () => {
  const kube = {
    resources: () => Promise.resolve([kind('Pod', true), kind('ServiceMonitor', true)]),
    list: ((ref: { kind: string }) =>
      ref.kind === 'Pod'
        ? Promise.resolve([{ ...ref, metadata: { name: 'one' } }])
        : Promise.reject(new ApiError('list', 404, 'NotFound', ''))) as KubeClient['list'],
  };
  expect(await inventory(kube, 'ns')).toEqual(['Pod one']);
});
