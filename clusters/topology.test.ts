import { describe, expect, it } from 'vitest';
import { UsageError } from '../harness/core/errors.ts';
import type { Topology } from '../harness/kube/cluster/cluster.ts';
import { describeTopology, gpuGroup, mergeTopologies, parseTopology } from './topology.ts';

const plain = (count: number, name = 'workers'): Topology => ({ groups: [{ name, count }] });
/** Labelled workers, as the chart of a suite selects them. */
const tools: Topology = { groups: [{ name: 'tools', count: 3, labels: { 'workload-type': 'tools' } }] };
const labelled = (count: number, labels: Record<string, string>): Topology => ({
  groups: [{ name: `l${Object.keys(labels).length}`, count, labels }],
});

describe('mergeTopologies', () => {
  it.each<{ title: string; topologies: Topology[]; expected: Topology['groups'] }>([
    { title: 'takes the larger count', topologies: [plain(2), plain(3)], expected: plain(3).groups },
    {
      title: 'uses labelled nodes as plain workers',
      topologies: [plain(2), tools],
      expected: tools.groups,
    },
    {
      title: 'adds plain workers only beyond the labelled nodes',
      topologies: [plain(5), tools],
      expected: [{ name: 'workers', count: 2 }, ...tools.groups],
    },
    {
      title: 'does not use tainted GPU nodes as plain workers',
      topologies: [plain(1), { groups: [gpuGroup([4, 1])] }],
      expected: [{ name: 'workers', count: 1 }, gpuGroup([4, 1])],
    },
    {
      title: 'takes the larger number of GPUs for each node',
      topologies: [{ groups: [gpuGroup([1, 4])] }, { groups: [gpuGroup([2])] }],
      expected: [gpuGroup([4, 1])],
    },
    {
      title: 'does not count nodes twice along a chain of labels',
      topologies: [plain(5), labelled(3, { a: '1' }), labelled(2, { a: '1', b: '1' })],
      expected: [
        { name: 'workers', count: 2 },
        { name: 'l1', count: 1, labels: { a: '1' } },
        { name: 'l2', count: 2, labels: { a: '1', b: '1' } },
      ],
    },
    {
      title: 'keeps the groups of one topology apart',
      topologies: [{ groups: [...plain(1).groups, ...labelled(1, { a: '1' }).groups] }],
      expected: [...plain(1).groups, ...labelled(1, { a: '1' }).groups],
    },
    {
      title: 'does not use one node for two groups of a topology',
      topologies: [
        { groups: [...plain(1).groups, ...labelled(1, { a: '1' }).groups] },
        labelled(1, { a: '1', b: '1' }),
      ],
      expected: [...plain(1).groups, ...labelled(1, { a: '1', b: '1' }).groups],
    },
    { title: 'is empty without topologies', topologies: [], expected: [] },
  ])('$title', ({ topologies, expected }) => {
    expect(mergeTopologies(topologies).groups).toEqual(expected);
  });

  it('does not depend on the order of the suites', () => {
    const all = [plain(2), tools, { groups: [gpuGroup([2, 1])] }];
    expect(mergeTopologies([...all].reverse()).groups).toEqual(
      expect.arrayContaining(mergeTopologies(all).groups),
    );
  });

  it('merges runtime classes and metrics', () => {
    const merged = mergeTopologies([
      { groups: [], runtimeClasses: ['nvidia'], metrics: true },
      { groups: [], runtimeClasses: ['nvidia', 'gvisor'] },
    ]);
    expect(merged).toEqual({
      groups: [],
      runtimeClasses: ['gvisor', 'nvidia'],
      metrics: true,
    });
  });

  it('has each storage class once, for several nodes if one topology asks for that', () => {
    const merged = mergeTopologies([
      { groups: [], storageClasses: [{ name: 'gp3', isShared: false }] },
      {
        groups: [],
        storageClasses: [
          { name: 'gp3', isShared: true },
          { name: 'fast-ssd', isShared: false },
        ],
      },
      { groups: [], storageClasses: [{ name: 'gp3', isShared: false }] },
    ]);
    expect(merged.storageClasses).toEqual([
      { name: 'fast-ssd', isShared: false },
      { name: 'gp3', isShared: true },
    ]);
  });

  it('rejects the same labels with and without a taint', () => {
    const tainted = { ...gpuGroup([1]), name: 'gpu-tainted' };
    const open = { ...gpuGroup([1]), name: 'gpu-open', taints: [] };
    expect(() => mergeTopologies([{ groups: [tainted] }, { groups: [open] }])).toThrow(
      /"gpu-tainted" and "gpu-open".*nvidia.com\/gpu=present:NoSchedule/,
    );
  });

  it('rejects one name for different nodes', () => {
    const other: Topology = {
      groups: [{ name: 'workers', count: 1, taints: [{ key: 'k', effect: 'NoExecute' }] }],
    };
    expect(() => mergeTopologies([plain(1), other])).toThrow(UsageError);
  });
});

describe('parseTopology', () => {
  it.each([
    [
      { groups: [{ name: 'gpu', count: 2, gpus: [1] }] },
      /groups.0.gpus: gpus needs one number for each node/,
    ],
    [{ groups: [{ name: 'w', count: 0 }] }, /groups.0.count/],
    [{ groups: [{ name: 'w', count: 1, labels: { 'a b': 'c' } }] }, /groups.0.labels.a b: Invalid key/],
    [{ groups: [{ name: 'w', count: 1, labels: { a: '-c' } }] }, /"-c" is not a label value/],
    [{ groups: [], typo: 1 }, /typo/],
    [
      { groups: [], storageClasses: [{ name: 'Fast_SSD', isShared: true }] },
      /"Fast_SSD" is not a name of an object/,
    ],
  ])('rejects %j', (input, message) => {
    expect(() => parseTopology(input, 'suite x')).toThrow(message);
  });
});

it('describes a topology in one line', () => {
  const text = describeTopology({
    groups: [...tools.groups, gpuGroup([4, 1])],
    runtimeClasses: ['nvidia'],
    storageClasses: [
      { name: 'fast-ssd', isShared: true },
      { name: 'gp3', isShared: false },
    ],
  });
  expect(text).toBe(
    '1 control plane, 3 × tools (workload-type=tools), 2 × gpu (nvidia.com/gpu.present=true, ' +
      'taint nvidia.com/gpu=present:NoSchedule, 4 and 1 GPUs), runtime handler nvidia, storage class fast-ssd for several nodes, storage class gp3',
  );
});
