import { expect, it } from 'vitest';
import {
  object,
  sampleConfigMap,
  sampleDeployment,
  sampleService,
  sampleSystem,
} from '../../../testing/sample-objects.ts';
import type { KubeObject } from '../../../kube/api/types.ts';
import {
  changingPodLabels,
  haveImmutableFields,
  immutableChanges,
  nothingImmutableChanges,
  selectorsStay,
} from './immutable.ts';

const withVersion = (version: string): KubeObject =>
  sampleDeployment({}, { selector: { matchLabels: { app: 'web', version } } });
const set = (fields: Record<string, unknown>): KubeObject => ({
  ...sampleDeployment({}, { serviceName: 'web', ...fields }),
  kind: 'StatefulSet',
});

it('accepts changes of all other fields', () => {
  const after = sampleSystem({ containers: [] });
  expect(nothingImmutableChanges(sampleSystem(), after)).toMatchObject({ ok: true });
});

it.each([
  [
    withVersion('1'),
    withVersion('2'),
    'Deployment web: spec.selector.matchLabels.version is "1" and becomes "2"',
  ],
  [set({}), set({ serviceName: 'other' }), 'StatefulSet web: spec.serviceName is "web" and becomes "other"'],
  [
    set({ volumeClaimTemplates: [{ metadata: { name: 'a' } }] }),
    set({ volumeClaimTemplates: [{ metadata: { name: 'a', labels: { v: '1' } } }] }),
    'StatefulSet web: spec.volumeClaimTemplates[0].metadata.labels is absent and becomes {"v":"1"}',
  ],
  [
    sampleService({ clusterIP: 'None' }),
    sampleService(),
    'Service web: spec.clusterIP is "None" and becomes absent',
  ],
])('names what an upgrade cannot change: %#', (before, after, complaint) => {
  expect(nothingImmutableChanges([before], [after])).toMatchObject({ ok: false, actual: complaint });
});

it('compares the selectors of workloads alone', () => {
  expect(selectorsStay([withVersion('1'), sampleService()], [withVersion('1')])).toMatchObject({ ok: true });
  expect(selectorsStay([withVersion('1')], [withVersion('2')]).actual).toBe(
    'Deployment web: spec.selector.matchLabels.version is "1" and becomes "2"',
  );
  const claims = [{ metadata: { name: 'a' } }];
  expect(selectorsStay([set({})], [set({ volumeClaimTemplates: claims })])).toMatchObject({ ok: true });
  expect(immutableChanges([set({})], [set({ volumeClaimTemplates: claims })])).toHaveLength(1);
});

it('does not compare objects that the next version renames', () => {
  const renamed = { ...withVersion('2'), metadata: { name: 'web-2' } };
  expect(nothingImmutableChanges([withVersion('1'), sampleService()], [renamed, sampleService()]).ok).toBe(
    true,
  );
});

it('does not hold without an immutable field', () => {
  expect(haveImmutableFields([sampleConfigMap()])).toBe(false);
  expect(nothingImmutableChanges([sampleConfigMap()], [sampleConfigMap()]).ok).toBe(false);
});

it('names labels of pods that change with the version', () => {
  const labelled = (version: string): KubeObject =>
    object('apps/v1', 'Deployment', 'web', {
      spec: { template: { metadata: { labels: { app: 'web', version } }, spec: { containers: [] } } },
    });
  expect(changingPodLabels([labelled('1')], [labelled('2')])).toEqual([
    'Deployment web: label version of its pods',
  ]);
  expect(changingPodLabels([labelled('1')], [labelled('1')])).toEqual([]);
});
