import { expect, it } from 'vitest';
import { makeNode } from '../../../testing/sample-world.ts';
import type { PodSpec } from '../../../kube/api/types.ts';
import { demandText, nearlyFitting } from './wanted-nodes.ts';

const GPU = { 'gpu.present': 'true' };
const taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };
const spec = (rest: Partial<PodSpec> = {}): PodSpec => ({ containers: [], nodeSelector: GPU, ...rest });
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
  ['all labels', makeNode('w1'), spec(), []],
  ['nothing but the role of a worker', controlPlane, spec(), []],
])('a node that lacks %s', (_, node, wanted, expected) => {
  expect(nearlyFitting(wanted, [node])).toEqual(expected);
});

it('says what the pods ask of a node', () => {
  expect(demandText(spec())).toBe('gpu.present=true');
  expect(demandText({ containers: [] })).toMatch(/^any node/);
});
