import { describe, expect, it } from 'vitest';
import { fakeKube, fakeNode } from '../../clusters/testing/fake-kube.ts';
import type { Node } from '../../harness/kube/api/types.ts';
import { changeableNode } from './node-change.ts';

const OWN = { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' };
const LATE = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' };
const FOREIGN = { key: 'kindproof.dev/other', effect: 'NoSchedule' };
const EVICTING = { key: 'nvidia.com/gpu', value: 'maintenance', effect: 'NoExecute' };

function changing(taints: Node['spec']['taints'] = []) {
  const object = fakeNode('n1', { labels: { pool: 'a' }, spec: { taints } }) as Node;
  const undone: (() => Promise<void>)[] = [];
  const lab = { defer: (_title: string, undo: () => Promise<void>) => undone.push(undo) };
  const { client } = fakeKube([object]);
  const node = changeableNode(lab, client, structuredClone(object));
  return { object, node, undo: () => Promise.all(undone.map((step) => step())) };
}

describe('a node that a check changes', () => {
  it('has its own taints and those of the last call', async () => {
    const { object, node } = changing([OWN]);
    await node.taint(FOREIGN);
    expect(object.spec.taints).toEqual([OWN, FOREIGN]);
    await node.taint(EVICTING);
    expect(object.spec.taints).toEqual([OWN, EVICTING]);
  });

  it('is restored when the check ends', async () => {
    const { object, node, undo } = changing([OWN]);
    await node.label('pool', 'b');
    await node.label('new', 'yes');
    await node.taint(FOREIGN, EVICTING);
    await undo();
    expect(object.spec.taints).toEqual([OWN]);
    expect(object.metadata.labels).toEqual({ pool: 'a' });
  });

  it('does not get back taints that Kubernetes has removed, and keeps those that it has added', async () => {
    const { object, node, undo } = changing([OWN, LATE]);
    object.spec.taints = [OWN];
    await node.taint(FOREIGN);
    expect(object.spec.taints).toEqual([OWN, FOREIGN]);
    object.spec.taints.push(LATE);
    await undo();
    expect(object.spec.taints).toEqual([OWN, LATE]);
  });
});
