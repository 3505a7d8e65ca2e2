import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { readManifests } from '../../harness/kube/manifests/manifest-files.ts';
import { field, podSpecOf } from '../../harness/kube/manifests/objects.ts';
import { patchObjects, type ManifestPatch } from '../../harness/kube/manifests/patch.ts';
import { configured, impatientLiveness, lingering, replicas, restarted, unscheduled } from './variants.ts';

/** Patches for a subject, applied to it. */
async function patched(
  folder: string,
  patches: (lab: Parameters<typeof replicas>[0]) => Promise<ManifestPatch[]>,
): Promise<(kind: string, name: string) => KubeObject | undefined> {
  const path = fileURLToPath(new URL(`../../fixtures/manifests/${folder}/base`, import.meta.url));
  const objects = (await readManifests(path)).map(({ object }) => object);
  const done = patchObjects(objects, await patches({ render: () => Promise.resolve({ objects }) }));
  return (kind, name) => done.find((o) => o.kind === kind && o.metadata.name === name);
}

const SUBJECTS = [
  ['the reference', 'tool-registry', 'tool-registry-api'],
  ['a registry under other names', 'catalogue', 'catalogue-web'],
] as const;

describe.each(SUBJECTS)('patches for %s', (_title, folder, name) => {
  it('set the replicas, with small CPU requests in every container', async () => {
    const found = (await patched(folder, (lab) => replicas(lab, 2)))('Deployment', name);
    expect(field(found?.['spec'], 'replicas')).toBe(2);
    const spec = found && podSpecOf(found);
    const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
    expect(containers.map(({ resources }) => resources?.requests?.['cpu'])).toEqual(
      containers.map(() => '50m'),
    );
  });

  it.each([
    [
      'restarted',
      (lab: Parameters<typeof replicas>[0]) => restarted(lab, 'x'),
      '"kindproof.dev/restarted":"x"',
    ],
    ['unscheduled', unscheduled, '"schedulerName":"none"'],
    ['impatientLiveness', impatientLiveness, '"terminationGracePeriodSeconds":1}'],
    ['lingering', lingering, '"minReadySeconds":3000'],
  ] as const)('fit: %s', async (_what, patches, text) => {
    expect(JSON.stringify((await patched(folder, patches))('Deployment', name))).toContain(text);
  });
});

describe('replicas', () => {
  it('stop the workers that use the same database', async () => {
    const find = await patched('catalogue', (lab) => replicas(lab, 1));
    expect(field(find('Deployment', 'catalogue-indexer')?.['spec'], 'replicas')).toBe(0);
  });
});

describe('configured', () => {
  it('changes the settings where they are', async () => {
    const find = await patched('catalogue', () =>
      Promise.resolve(configured({ limit: '3', threshold: '0.9' })),
    );
    expect(find('ConfigMap', 'catalogue-settings')?.['data']).toMatchObject({
      DEFAULT_SEARCH_LIMIT: '3',
      DEFAULT_SIMILARITY_THRESHOLD: '0.9',
    });
  });
});
