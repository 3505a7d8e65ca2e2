import { describe, expect, it } from 'vitest';
import { makeNode, makePod } from '../../../testing/sample-world.ts';
import type { PodSpec } from '../../../kube/api/types.ts';
import { nodesAllowed, spread } from './placement.ts';

const HOST = 'kubernetes.io/hostname';
const taint = { key: 'tools-only', value: 'true', effect: 'NoSchedule' };
const cp = makeNode('cp', {
  taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
});
const nodes = [cp, makeNode('w1'), makeNode('w2'), makeNode('w3')];
const on = (names: string[], spec: Partial<PodSpec> = {}) =>
  names.map((nodeName, i) => makePod({ name: `p${i}`, spec: { nodeName, ...spec } }));

describe('spread', () => {
  it.each([
    ['one on each', ['w1', 'w2', 'w3'], 1, true],
    ['two nodes for two pods', ['w1', 'w2'], 1, true],
    ['two on one, none on another', ['w1', 'w1', 'w2'], 1, false],
    ['a maxSkew of two', ['w1', 'w1', 'w2'], 2, true],
    ['all on one', ['w1', 'w1', 'w1'], 1, false],
    ['a single pod proves nothing', ['w1'], 1, false],
    ['no pods prove nothing', [], 1, false],
    ['a pod without a node', ['w1', 'w2', ''], 1, false],
  ])('%s', (_, names, maxSkew, ok) => {
    expect(spread(on(names), nodes, HOST, { maxSkew }).ok).toBe(ok);
  });

  it('counts only nodes that the pods may use', () => {
    const tools = [
      makeNode('t1', { labels: { role: 'tools' } }),
      makeNode('t2', { labels: { role: 'tools' } }),
      ...nodes,
    ];
    const result = spread(on(['t1', 't2'], { nodeSelector: { role: 'tools' } }), tools, HOST, {
      maxSkew: 0,
    });
    expect(result).toMatchObject({ ok: true, actual: 't1: 1, t2: 1 (differing by 0)' });
  });

  it('does not hold for one usable node', () => {
    expect(spread(on(['w1', 'w1']), [cp, makeNode('w1')], HOST, { maxSkew: 1 })).toMatchObject({
      ok: false,
      details: [expect.stringContaining('2 pods on 1 usable')],
    });
  });
});

describe('nodesAllowed', () => {
  const tools = makeNode('t1', { labels: { role: 'tools' }, taints: [taint] });
  const tolerations = [{ key: 'tools-only', operator: 'Equal', value: 'true', effect: 'NoSchedule' }];
  it.each([
    ['on the labelled node', on(['t1'], { tolerations }), { nodeSelector: { role: 'tools' } }, true],
    ['on the tainted node', on(['t1'], { tolerations }), { taint: 'tools-only=true:NoSchedule' }, true],
    ['on another node', on(['w1']), { nodeSelector: { role: 'tools' } }, false],
    ['without the toleration', on(['t1']), {}, false],
    ['against its own selector', on(['w1'], { nodeSelector: { role: 'tools' } }), {}, false],
    ['no pods', [], {}, false],
  ])('%s', (_, pods, allowed, ok) => {
    expect(nodesAllowed(pods, [...nodes, tools], allowed).ok).toBe(ok);
  });

  it.each([
    [[{ operator: 'Exists' }], true],
    [[{ key: 'tools-only', operator: 'Exists' }], true],
    [[{ key: 'tools-only', value: 'true' }], true],
    [[{ key: 'tools-only', value: 'false' }], false],
    [[{ key: 'tools-only', operator: 'Exists', effect: 'NoExecute' }], false],
  ])('evaluates the tolerations %j', (given, ok) => {
    expect(nodesAllowed(on(['t1'], { tolerations: given }), [tools]).ok).toBe(ok);
  });
});
