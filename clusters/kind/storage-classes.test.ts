import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseManifests } from '../../harness/kube/manifests/parse.ts';
import type { ConfigMap, KubeObject } from '../../harness/kube/api/types.ts';
import type { ExtraStorageClass } from '../../harness/kube/cluster/cluster.ts';
import { type FakeKube, fakeKube } from '../testing/fake-kube.ts';
import { ensureStorageClasses } from './storage-classes.ts';

const FAST: ExtraStorageClass = { name: 'fast-ssd', isShared: true };
const GP3: ExtraStorageClass = { name: 'gp3', isShared: false };

let image: KubeObject[];
let kube: FakeKube;
let progress: string[];

beforeEach(async () => {
  const manifest = new URL('../node-image/manifests/default-storage.yaml', import.meta.url);
  image = parseManifests(await readFile(manifest, 'utf8'), 'storage').map(({ object }) => object);
  kube = fakeKube(image);
  progress = [];
});

const ensure = (...storageClasses: ExtraStorageClass[]) =>
  ensureStorageClasses(kube.client, { groups: [], storageClasses }, (text) => progress.push(text));
const find = (kind: string, name: string) =>
  kube.objects.find((object) => object.kind === kind && object.metadata.name === name);
const classNames = () =>
  kube.objects.filter(({ kind }) => kind === 'StorageClass').map(({ metadata }) => metadata.name);
const config = () => {
  const { data } = find('ConfigMap', 'local-path-config') as ConfigMap;
  return JSON.parse(data!['config.json']!) as { storageClassConfigs?: Record<string, unknown> };
};
/** Changes of the pod template, each of which replaces the provisioner's pod. */
const restarts = () => {
  const digests = kube.patches
    .filter(({ name }) => name === 'local-path-provisioner')
    .map(({ patch }) => JSON.stringify(patch));
  return digests.filter((digest, index) => digest !== digests[index - 1]).length;
};

describe('storage classes', () => {
  it('are copies of those of the node image, and known to the provisioner', async () => {
    const before = config().storageClassConfigs!;
    expect(await ensure(FAST, GP3)).toEqual(['StorageClass fast-ssd created', 'StorageClass gp3 created']);
    expect(find('StorageClass', 'fast-ssd')).toEqual({
      ...find('StorageClass', 'shared'),
      metadata: { name: 'fast-ssd', labels: { 'kindproof.dev/copy-of': 'shared' } },
    });
    expect(find('StorageClass', 'gp3')).toEqual({
      ...find('StorageClass', 'standard'),
      // Without the annotation of the default class.
      metadata: { name: 'gp3', labels: { 'kindproof.dev/copy-of': 'standard' } },
    });
    const { standard, shared } = before;
    expect(config()).toEqual({ storageClassConfigs: { ...before, 'fast-ssd': shared, gp3: standard } });
    expect(restarts()).toBe(1);
    expect(progress).toEqual([]);
  });

  it('are known to the provisioner before a claim can name them', async () => {
    const { client } = kube;
    const known: boolean[] = [];
    kube.client = new Proxy(client, {
      get: (target, name) =>
        name === 'create'
          ? (object: KubeObject) => {
              known.push(object.metadata.name in config().storageClassConfigs! && restarts() === 1);
              return client.create(object);
            }
          : (Reflect.get(target, name) as unknown),
    });
    await ensure(FAST);
    expect(known).toEqual([true]);
  });

  it('that exist are left alone, also those of somebody else', async () => {
    await ensure(FAST);
    image.push({ ...find('StorageClass', 'standard')!, metadata: { name: 'gp3' }, provisioner: 'theirs' });
    kube.patches.length = 0;
    expect(await ensure(FAST, { ...GP3, isShared: true })).toEqual([]);
    expect(kube.patches).toEqual([]);
    expect(find('StorageClass', 'gp3')).toMatchObject({ provisioner: 'theirs' });
    expect(await ensure()).toEqual(['StorageClass fast-ssd of an earlier run removed']);
    expect(classNames()).toEqual(['standard', 'shared', 'gp3']);
  });

  it('are made anew for claims of another kind', async () => {
    await ensure(GP3);
    expect(await ensure({ ...GP3, isShared: true })).toEqual([
      'StorageClass gp3 of an earlier run removed',
      'StorageClass gp3 created',
    ]);
    expect(find('StorageClass', 'gp3')).toMatchObject({ volumeBindingMode: 'Immediate' });
    expect(config().storageClassConfigs).toMatchObject({
      gp3: { sharedFileSystemPath: '/var/local/kindproof-shared' },
    });
    expect(restarts()).toBe(2);
  });

  it('that an interrupted run had only configured are completed, with a start of the provisioner', async () => {
    await ensure(FAST);
    await kube.client.delete('StorageClass', { name: 'fast-ssd' });
    const { template } = find('Deployment', 'local-path-provisioner')!['spec'] as {
      template: KubeObject;
    };
    delete template.metadata.annotations;
    await ensure(FAST);
    expect(template.metadata.annotations).toBeDefined();
    expect(classNames()).toEqual(['standard', 'shared', 'fast-ssd']);
  });

  it('are not asked for by a topology without them', async () => {
    expect(await ensure()).toEqual([]);
    expect([classNames(), kube.patches]).toEqual([['standard', 'shared'], []]);
  });
});

describe("on kind's own node image", () => {
  const nodePathMap = [{ node: 'DEFAULT_PATH_FOR_NON_LISTED_NODES', paths: ['/var/local-path-provisioner'] }];

  beforeEach(async () => {
    await kube.client.delete('StorageClass', { name: 'shared' });
    (find('ConfigMap', 'local-path-config') as ConfigMap).data = {
      'config.json': JSON.stringify({ nodePathMap }),
    };
  });

  it('a class of one node needs no configuration', async () => {
    expect(await ensure(GP3)).toEqual(['StorageClass gp3 created']);
    expect([config(), kube.patches]).toEqual([{ nodePathMap }, []]);
  });

  it('a class of several nodes is not provided, and the progress says so', async () => {
    expect(await ensure(FAST)).toEqual([]);
    expect(progress).toEqual([
      'the node image has no storage that several nodes can mount: StorageClass fast-ssd is not provided',
    ]);
    expect(classNames()).toEqual(['standard']);
  });
});
