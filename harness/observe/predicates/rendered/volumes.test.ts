import { describe, expect, it } from 'vitest';
import type { KubeObject, PodSpec } from '../../../kube/api/types.ts';
import { volumesAreMounted } from './volumes.ts';

function workload(spec: Partial<PodSpec>, more: object = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web' },
    spec: { ...more, template: { spec: { containers: [], ...spec } } },
  };
}

const app = { name: 'app', image: 'app:1' };
const mounts = (...names: string[]) => names.map((name) => ({ name, mountPath: `/${name}` }));
const volumes = [{ name: 'data', emptyDir: {} }];

describe('volumesAreMounted', () => {
  it.each([
    ['by a container', workload({ volumes, containers: [{ ...app, volumeMounts: mounts('data') }] })],
    [
      'by an init container',
      workload({ volumes, initContainers: [{ ...app, volumeMounts: mounts('data') }] }),
    ],
    ['as a device', workload({ volumes, containers: [{ ...app, volumeDevices: [{ name: 'data' }] }] })],
    [
      'from a claim template',
      workload(
        { containers: [{ ...app, volumeMounts: mounts('state') }] },
        { volumeClaimTemplates: [{ metadata: { name: 'state' } }] },
      ),
    ],
  ])('holds for a volume that is mounted %s', (_title, object) => {
    expect(volumesAreMounted([object]).ok).toBe(true);
  });

  it('names volumes that nothing mounts, and mounts without a volume', () => {
    const { ok, details } = volumesAreMounted([
      workload({ volumes, containers: [{ ...app, volumeMounts: mounts('config') }] }),
    ]);
    expect(ok).toBe(false);
    expect(details).toEqual([
      'StatefulSet web mounts volume data nowhere, mounts volume config, which it does not have',
    ]);
  });

  it('does not hold without a workload', () => {
    expect(volumesAreMounted([]).ok).toBe(false);
  });
});
