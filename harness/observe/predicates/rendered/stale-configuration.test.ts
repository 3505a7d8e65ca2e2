import { expect, it } from 'vitest';
import type { Container, KubeObject, PodSpec } from '../../../kube/api/types.ts';
import { lasting, modelOf } from '../../../kube/manifests/model/subject-model.ts';
import { configurationFollows } from './stale-configuration.ts';

interface Parts {
  init?: Partial<Container>;
  container?: Partial<Container>;
  annotations?: Record<string, string>;
  /** Of the Deployment. */
  own?: Record<string, string>;
  name?: string;
  immutable?: boolean;
}

const SUB_PATH = { volumeMounts: [{ name: 'config', mountPath: '/etc/a.txt', subPath: 'a.txt' }] };
const FROM = (name: string) => ({ envFrom: [{ configMapRef: { name } }] });

function judged({ init, container, annotations = {}, own = {}, name = 'web-config', immutable }: Parts) {
  const spec: PodSpec = {
    ...(init ? { initContainers: [{ name: 'setup', image: 'a', ...init }] } : {}),
    containers: [{ name: 'web', image: 'a', ...container }],
    volumes: [{ name: 'config', configMap: { name } }],
  };
  const labels = { app: 'web' };
  const objects: KubeObject[] = [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', annotations: own },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels, annotations }, spec } },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data: { 'a.txt': 'one' },
      ...(immutable === undefined ? {} : { immutable }),
    },
  ];
  return configurationFollows(lasting(modelOf(objects, { namespace: 'demo' })));
}

it('names a file by subPath that nothing replaces', () => {
  const { ok, details } = judged({ container: SUB_PATH });
  expect(ok).toBe(false);
  expect(details).toEqual([
    'Deployment web keeps the old ConfigMap web-config after a change: container web reads it by subPath, which is never updated, and the pod template has no checksum of it',
  ]);
});

it('names an environment that nothing replaces', () => {
  const { details } = judged({ container: FROM('web-config') });
  expect(details?.[0]).toMatch(/container web reads it into its environment, once/);
});

it.each<[string, Parts]>([
  ['a directory', { container: { volumeMounts: [{ name: 'config', mountPath: '/etc/web' }] } }],
  [
    'an init container, which has ended',
    { init: FROM('web-config'), container: { volumeMounts: [{ name: 'config', mountPath: '/etc/web' }] } },
  ],
  ['a checksum by its name', { container: SUB_PATH, annotations: { 'checksum/config': 'x' } }],
  ['a checksum by its form', { container: SUB_PATH, annotations: { config: '0a1b2c3d4e5f6789' } }],
  ['a controller that reloads', { container: SUB_PATH, own: { 'reloader.stakater.com/auto': 'true' } }],
  ['a name with a hash', { container: FROM('web-config-6ct58987ht'), name: 'web-config-6ct58987ht' }],
  ['an object that cannot change', { container: SUB_PATH, immutable: true }],
])('accepts %s', (_, parts) => {
  expect(judged(parts)).toMatchObject({ ok: true });
});

it('does not hold when no configuration is rendered', () => {
  expect(configurationFollows([]).ok).toBe(false);
});
