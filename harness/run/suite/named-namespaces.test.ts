import { expect, it } from 'vitest';
import { Lifecycle } from '../../core/lifecycle.ts';
import { silentLog } from '../../core/log.ts';
import type { KubeClient, ObjectRef } from '../../kube/api/client.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import { fakeLab } from '../../testing/fake-lab.ts';
import { Lab } from './lab.ts';

const configMap = (namespace?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', ...(namespace !== undefined && { namespace }) },
});

it('creates and records the namespaces that a chart names, and deletes only those', async () => {
  const objects = [
    configMap(),
    configMap('monitoring'),
    configMap('kube-system'),
    configMap('rendered'),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'rendered' } },
  ];
  const existing = new Set(['kube-system']);
  const watched = new Set<string | undefined>();
  const { lab: shared, done } = fakeLab({
    helm: { render: () => Promise.resolve({ objects }), install: () => Promise.resolve({} as never) },
    kube: {
      watch: (_kind, { namespace }) => {
        watched.add(namespace);
        return { synced: Promise.resolve(), stop: () => Promise.resolve() };
      },
      get: ((kind: string, { name }: ObjectRef) =>
        Promise.resolve(
          kind === 'ServiceAccount' || existing.has(name) ? { kind, metadata: { name } } : undefined,
        )) as KubeClient['get'],
    },
  });
  const lifecycle = new Lifecycle(silentLog);
  const lab = new Lab(shared, lifecycle, 'app/X-13');

  await lab.install({ namespace: 'home', rollout: false });
  await lifecycle.close();

  const changed = done.filter((line) => line.includes('Namespace'));
  expect(changed).toEqual(['create Namespace monitoring', 'delete Namespace monitoring']);
  expect(watched).toEqual(new Set(['home', 'monitoring', 'rendered']));
  expect([...lab.namespaces]).toEqual(['home', 'monitoring', 'rendered']);
});
