import { describe, expect, it } from 'vitest';
import { makeNode, makePod } from '../../../testing/sample-world.ts';
import { onePerNode } from './one-per-node.ts';

const GPU = { 'gpu.present': 'true' };
const nodes = [
  makeNode('cp'),
  makeNode('plain', { labels: { 'gpu.present': 'false' } }),
  makeNode('g1', { labels: GPU }),
  makeNode('g2', { labels: GPU }),
];
const on = (...names: string[]) => names.map((nodeName, i) => makePod({ name: `p${i}`, spec: { nodeName } }));

describe('onePerNode', () => {
  it.each([
    ['one on each', ['g1', 'g2'], true, /cp: 0, g1: 1, g2: 1, plain: 0/],
    ['none on one', ['g1'], false, /no pod is on g2/],
    ['none at all', [], false, /no pod is on g1.*no pod is on g2/],
    ['two on one', ['g1', 'g2', 'g2'], false, /2 pods are on g2: p1, p2/],
    ['another value of the label', ['g1', 'g2', 'plain'], false, /p2 is on plain, which does not carry/],
    ['the control plane', ['g1', 'g2', 'cp'], false, /p2 is on cp/],
  ])('%s', (_, where, ok, actual) => {
    const result = onePerNode(on(...where), nodes, GPU);
    expect(result.ok).toBe(ok);
    expect(result.actual).toMatch(actual);
  });

  it('does not hold for a pod without a node', () => {
    const [waiting] = on('');
    if (!waiting) throw new Error('no pod');
    delete waiting.spec.nodeName;
    expect(onePerNode([...on('g1', 'g2'), waiting], nodes, GPU).details).toEqual(['p0 has no node']);
  });

  it.each([
    ['no node carries the label', nodes, { 'gpu.present': 'never' }, /no node carries gpu\.present=never/],
    ['every node carries the label', nodes.slice(2), GPU, /all nodes carry gpu\.present=true/],
  ])('does not hold when %s', (_, there, labels, actual) => {
    const result = onePerNode(on('g1', 'g2'), there, labels);
    expect(result.ok).toBe(false);
    expect(result.actual).toMatch(actual);
  });
});
