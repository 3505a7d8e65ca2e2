import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { field } from '../../harness/kube/manifests/objects.ts';
import { createCapabilities } from './capabilities.ts';
import { existingCluster } from '../existing/existing-provider.ts';
import { fakeKube, fakeNode } from '../testing/fake-kube.ts';
import { GPU_SOURCE_ANNOTATION } from '../nodes/gpu-capacity.ts';
import { GPU_NODE_LABELS } from '../topology.ts';

function capabilitiesOf(objects: KubeObject[]) {
  const kube = fakeKube([fakeNode('n1'), ...objects]);
  const cluster = existingCluster({ kube: kube.client, kubernetes: 'v1', kubeconfig: 'k', context: 'c' });
  return { kube, capabilities: createCapabilities(cluster) };
}

const storageClass = (name: string, isDefault: boolean): KubeObject => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: {
    name,
    annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) },
  },
  provisioner: 'p',
});

function gpuNode(name: string, gpus: string, source?: string): KubeObject {
  const node = fakeNode(name, { labels: { ...GPU_NODE_LABELS } });
  node['status'] = { allocatable: { 'nvidia.com/gpu': gpus } };
  if (source !== undefined) node.metadata.annotations = { [GPU_SOURCE_ANNOTATION]: source };
  return node;
}

describe('createCapabilities', () => {
  it.each([
    [[storageClass('standard', true), storageClass('x', false)], true, /standard is the default class/],
    [[storageClass('a', true), storageClass('b', true)], false, /more than one class is the default: a, b/],
    [[storageClass('a', false)], false, /no class is the default; existing: a/],
  ])('proves default-storage-class, case %#', async (objects, present, evidence) => {
    const result = await capabilitiesOf(objects).capabilities.probe('default-storage-class');
    expect(result).toMatchObject({ name: 'default-storage-class', present });
    expect(result.evidence).toMatch(evidence);
  });

  it.each([
    [[], true, /may patch nodes and evict pods/],
    [['nodes'], false, /may not patch nodes$/],
    [['nodes', 'pods'], false, /may not patch nodes, and not evict pods/],
  ])('proves node-cordon, without rights on %j', async (denied, present, evidence) => {
    const { kube, capabilities } = capabilitiesOf([]);
    kube.client.create = (review) => {
      const { resource } = field(review['spec'], 'resourceAttributes') as { resource: string };
      return Promise.resolve({ ...review, status: { allowed: !denied.includes(resource) } });
    };
    const result = await capabilities.probe('node-cordon');
    expect(result).toMatchObject({ present });
    expect(result.evidence).toMatch(evidence);
  });

  it.each([
    ['metrics', /serves no metrics.k8s.io/],
    ['node-access', /existing gives no access/],
    ['cgroup-v1', /existing gives no access/],
    ['shared-storage', /StorageClass shared is missing/],
    ['network-policy', /not provable: the nodes have no busybox image/],
  ])('reports why %s is absent', async (name, evidence) => {
    const result = await capabilitiesOf([]).capabilities.probe(name);
    expect(result).toMatchObject({ name, present: false });
    expect(result.evidence).toMatch(evidence);
  });

  it.each([
    [[], false, /no node has the label nvidia.com\/gpu.present=true/],
    [[gpuNode('g1', '4'), gpuNode('g2', '0')], false, /needs two nodes with GPUs; .* g1 has 4, g2 has 0/],
    [[gpuNode('g1', '4'), gpuNode('g2', '1')], true, /g1 has 4, g2 has 1; real$/],
    [
      [gpuNode('g1', '4', 'status-patch'), gpuNode('g2', '1', 'status-patch')],
      true,
      /; scheduling only \(capacity by status patch\)$/,
    ],
  ])('proves gpu-nodes, case %#', async (objects, present, evidence) => {
    const result = await capabilitiesOf(objects).capabilities.probe('gpu-nodes');
    expect(result).toMatchObject({ name: 'gpu-nodes', present });
    expect(result.evidence).toMatch(evidence);
  });

  it.each([
    { served: [], present: false, evidence: 'the API server serves no resource.k8s.io' },
    {
      served: ['DeviceClass', 'ResourceClaimTemplate'],
      present: true,
      evidence: 'resource.k8s.io/v1 is served: DeviceClass, ResourceClaimTemplate',
    },
  ])('proves dra, case %#', async ({ served, present, evidence }) => {
    const { capabilities, kube } = capabilitiesOf([]);
    kube.client.resources = () =>
      Promise.resolve(
        served.map((kind) => ({
          apiVersion: 'resource.k8s.io/v1',
          kind,
          plural: '',
          namespaced: true,
          verbs: [],
        })),
      );
    expect(await capabilities.probe('dra')).toEqual({ name: 'dra', present, evidence });
  });

  it('runs a probe once', async () => {
    const { capabilities, kube } = capabilitiesOf([storageClass('a', true)]);
    await capabilities.probe('default-storage-class');
    kube.objects.length = 0;
    expect(await capabilities.probe('default-storage-class')).toMatchObject({ present: true });
  });

  it('runs a probe again after it errored', async () => {
    const { capabilities, kube } = capabilitiesOf([storageClass('a', true)]);
    const list = kube.client.list.bind(kube.client);
    kube.client.list = () => Promise.reject(new Error('connection lost'));
    await expect(capabilities.probe('default-storage-class')).rejects.toThrow('connection lost');
    kube.client.list = list;
    expect(await capabilities.probe('default-storage-class')).toMatchObject({ present: true });
  });

  it('rejects an unknown capability and lists the known ones', async () => {
    await expect(capabilitiesOf([]).capabilities.probe('teleport')).rejects.toMatchObject({
      code: 'E_CAPABILITY',
      hint: expect.stringContaining('network-policy') as string,
    });
  });
});
