import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { object, sampleDeployment } from '../../harness/testing/sample-objects.ts';
import { mergeTopologies } from '../topology.ts';
import { storageFor } from './storage.ts';

const spec = (storageClassName: unknown, ...accessModes: string[]) => ({ storageClassName, accessModes });
const claim = (name: string, ...of: Parameters<typeof spec>) =>
  object('v1', 'PersistentVolumeClaim', name, { spec: spec(...of) });
const store = (...of: Parameters<typeof spec>) =>
  object('apps/v1', 'StatefulSet', 'store', {
    spec: { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: spec(...of) }] },
  });

function provided(...objects: KubeObject[]) {
  const { topology, provided: list } = storageFor(objects);
  // The cluster of a run is a merged one.
  expect(mergeTopologies([topology])).toEqual(topology);
  const text = ({ what, why }: { what: string; why: string }) => `${what} <- ${why}`;
  return { classes: topology.storageClasses, given: list.given.map(text), missing: list.missing.map(text) };
}

describe('a storage class is provided', () => {
  it('for a claim', () => {
    expect(provided(claim('toolman-data', 'fast-ssd', 'ReadWriteMany'))).toEqual({
      classes: [{ name: 'fast-ssd', isShared: true }],
      given: ['StorageClass fast-ssd, which several nodes can mount <- PersistentVolumeClaim toolman-data'],
      missing: [],
    });
  });

  it('for a claim template', () => {
    expect(provided(store('gp3', 'ReadWriteOnce'))).toEqual({
      classes: [{ name: 'gp3', isShared: false }],
      given: ['StorageClass gp3, whose volumes stay on one node <- claim template data of StatefulSet store'],
      missing: [],
    });
  });

  it('for an ephemeral volume', () => {
    const ephemeral = { volumeClaimTemplate: { spec: spec('gp3', 'ReadWriteOncePod') } };
    const web = sampleDeployment({ volumes: [{ name: 'scratch', ephemeral }, { name: 'empty' }] });
    expect(provided(web)).toMatchObject({
      classes: [{ name: 'gp3', isShared: false }],
      given: ['StorageClass gp3, whose volumes stay on one node <- volume scratch of Deployment web'],
    });
  });

  it('once, for several nodes if one of its claims is', () => {
    const objects = [
      store('gp3', 'ReadWriteOnce'),
      claim('pages', 'gp3', 'ReadOnlyMany'),
      claim('a', 'fast'),
    ];
    expect(provided(...objects)).toMatchObject({
      classes: [
        { name: 'fast', isShared: false },
        { name: 'gp3', isShared: true },
      ],
      given: [
        'StorageClass fast, whose volumes stay on one node <- PersistentVolumeClaim a',
        'StorageClass gp3, which several nodes can mount <- claim template data of StatefulSet store and PersistentVolumeClaim pages',
      ],
    });
  });
});

describe('no storage class is provided', () => {
  const ofVolume = (more: object): KubeObject =>
    object('v1', 'PersistentVolumeClaim', 'data', { spec: { ...spec('gp3', 'ReadWriteOnce'), ...more } });

  it.each<[string, KubeObject[]]>([
    ['for the default class', [claim('data', undefined), store(undefined)]],
    ['for the empty class', [claim('data', '')]],
    ['for those of the node image', [claim('data', 'standard'), store('shared', 'ReadWriteMany')]],
    [
      'that the subject renders',
      [claim('data', 'own'), object('storage.k8s.io/v1', 'StorageClass', 'own', { provisioner: 'x' })],
    ],
    [
      'of which the subject renders volumes',
      [claim('data', 'manual'), object('v1', 'PersistentVolume', 'pv', { spec: spec('manual') })],
    ],
    ['for a claim that names its volume', [ofVolume({ volumeName: 'pv' })]],
    ['for a claim that selects its volume', [ofVolume({ selector: { matchLabels: { a: 'b' } } })]],
    ['for what is malformed', [claim('data', 5), object('apps/v1', 'StatefulSet', 'store', { spec: 5 })]],
    [
      'for a StatefulSet of another API',
      [{ ...store('gp3', 'ReadWriteOnce'), apiVersion: 'apps.kruise.io/v1beta1' }],
    ],
  ])('%s', (_, objects) => {
    expect(provided(...objects)).toEqual({ classes: undefined, given: [], missing: [] });
  });

  it('of a name that no object can have, and the list says so', () => {
    expect(provided(claim('data', 'Fast_SSD'))).toEqual({
      classes: undefined,
      given: [],
      missing: ['StorageClass Fast_SSD: no object can have this name <- PersistentVolumeClaim data'],
    });
  });
});
