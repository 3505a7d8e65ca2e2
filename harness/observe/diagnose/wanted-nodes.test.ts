import { describe, expect, it } from 'vitest';
import { flattenChains } from './diagnose.ts';
import { explain } from './explain.ts';
import { makeDeployment, makeNode, makeWorld } from '../../testing/sample-world.ts';
import type { PodSpec, Workload } from '../../kube/api/types.ts';
import { demandText, nearlyFitting } from './wanted-nodes.ts';

const GPU = { 'gpu.present': 'true' };
const taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };
const spec = (rest: Partial<PodSpec> = {}): PodSpec => ({ containers: [], nodeSelector: GPU, ...rest });
const LINUX = { 'kubernetes.io/os': 'linux' };
const affine = (matchExpressions: object[]): PodSpec => ({
  containers: [],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
    },
  },
});
const controlPlane = makeNode('cp', {
  labels: GPU,
  taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
});

it.each([
  [
    'a taint',
    makeNode('g1', { labels: GPU, taints: [taint] }),
    spec(),
    ['g1 is selected, but its taint gpu=yes:NoSchedule is not tolerated'],
  ],
  [
    'a taint of another value',
    makeNode('g1', { labels: GPU, taints: [taint] }),
    spec({
      tolerations: [
        { key: 'gpu', operator: 'Equal', value: 'true', effect: 'NoSchedule' },
        { key: 'other', operator: 'Exists' },
      ],
    }),
    [
      'g1 is selected, but its taint gpu=yes:NoSchedule is not tolerated (the toleration gpu=true:NoSchedule does not cover it)',
    ],
  ],
  [
    'another value',
    makeNode('g1', { labels: { 'gpu.present': 'false' } }),
    spec(),
    ['g1 lacks gpu.present=true (it has false)'],
  ],
  [
    'one of two labels',
    makeNode('g1', { labels: GPU }),
    spec({ nodeSelector: { ...GPU, zone: 'a' } }),
    ['g1 lacks zone=a (it has no such label)'],
  ],
  [
    'one of two expressions of its affinity',
    makeNode('g1', { labels: GPU }),
    affine([
      { key: 'gpu.present', operator: 'Exists' },
      { key: 'zone', operator: 'In', values: ['a', 'b'] },
    ]),
    ['g1 lacks zone in (a, b) (it has no such label)'],
  ],
  ['all labels', makeNode('w1'), spec(), []],
  [
    'all labels but those of every node',
    makeNode('w1', { labels: LINUX }),
    spec({ nodeSelector: { ...GPU, ...LINUX } }),
    [],
  ],
  [
    'the operating system',
    makeNode('w1', { labels: LINUX }),
    spec({ nodeSelector: { 'kubernetes.io/os': 'windows' } }),
    ['w1 lacks kubernetes.io/os=windows (it has linux)'],
  ],
  ['nothing but the role of a worker', controlPlane, spec(), []],
])('a node that lacks %s', (_, node, wanted, expected) => {
  expect(nearlyFitting(wanted, [node]).map(({ name, lacks }) => `${name} ${lacks}`)).toEqual(expected);
});

it('says what the pods ask of a node', () => {
  expect(demandText(spec())).toBe('gpu.present=true');
  expect(demandText({ containers: [] })).toMatch(/^any node/);
});

describe('a DaemonSet that is rolled out without a pod', () => {
  const agent = (wanted: PodSpec, desired = 0) => {
    const made = makeDeployment({
      kind: 'DaemonSet',
      name: 'agent',
      status: { desiredNumberScheduled: desired },
    });
    made.spec.template.spec = wanted;
    return made;
  };
  const nodes = [controlPlane, makeNode('w1'), makeNode('g1', { labels: GPU, taints: [taint] })];
  const told = (workload: Workload) => flattenChains(explain(makeWorld({ workloads: [workload], nodes })));

  it('names the nodes that nearly fit, with their taints', () => {
    const { causes, hint } = told(agent(spec()));
    expect(causes.map((c) => `${c.object} ${c.says}`)).toEqual([
      'DaemonSet agent wants pods on 0 of 3 nodes; it asks for gpu.present=true',
      'Node g1 is selected, but its taint gpu=yes:NoSchedule is not tolerated',
    ]);
    expect(hint).toMatch(/tolerations/);
  });

  it('is mentioned only when nothing else is wrong, where no node is meant', () => {
    const windows = agent(spec({ nodeSelector: { pool: 'edge' } }));
    expect(told(windows).causes.map((c) => `${c.object} ${c.says}`)).toEqual([
      'DaemonSet agent wants pods on 0 of 3 nodes; it asks for pool=edge',
    ]);
    const broken = makeDeployment({ name: 'web' });
    const { causes } = flattenChains(explain(makeWorld({ workloads: [windows, broken], nodes })));
    expect(causes.map((c) => c.object)).not.toContain('DaemonSet agent');
  });

  it('is not one that wants pods', () => {
    expect(told(agent(spec(), 1)).causes.map((c) => c.says)).toEqual([
      'is available on 0 of 1 node',
      'has no pods yet, and no event says why',
    ]);
  });
});
