import { expect, it } from 'vitest';
import { fakeKube, fakeNode } from '../../clusters/testing/fake-kube.ts';
import { RUN_LABEL } from '../../harness/core/run-id.ts';
import type { KubeObject, Node, Pod } from '../../harness/kube/api/types.ts';
import { makePod } from '../../harness/testing/sample-world.ts';
import { cordon, drained, tiesTo } from './drained-node.ts';

const NODES = ['one', 'two'].map((name) =>
  fakeNode(name, { labels: { 'kubernetes.io/hostname': name } }),
) as Node[];

function podWith(claim: string, phase: 'Running' | 'Pending' = 'Running'): Pod {
  const pod = makePod({ name: 'web-1', phase });
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: claim } }];
  return { ...pod, spec: { ...pod.spec, volumes } };
}

const claim: KubeObject = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], volumeName: 'pv-1' },
};

function volumeOn(...hosts: string[]): KubeObject {
  const expression = { key: 'kubernetes.io/hostname', operator: 'In', values: hosts };
  const nodeAffinity = { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } };
  return { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv-1' }, spec: { nodeAffinity } };
}

it.each([
  ['one', ['claim data (ReadWriteOnce) ties pod web-1 to node one, where its volume is']],
  ['one two', []],
  ['two', []],
])('names claims whose volume only the node can mount: %s', async (hosts, says) => {
  const { client } = fakeKube([claim, volumeOn(...hosts.split(' '))]);
  const ties = await tiesTo(client, 'one', { pods: [podWith('data')], nodes: NODES });
  expect(ties.map((tie) => tie.says)).toEqual(says);
});

it('cordons a node with the mark of the run, and gives it back', async () => {
  const node = fakeNode('one') as Node;
  const undone: (() => Promise<void>)[] = [];
  const lab = {
    kube: fakeKube([node]).client,
    labels: { [RUN_LABEL]: 'r1' },
    defer: (_title: string, undo: () => Promise<void>) => void undone.push(undo),
  };
  await cordon(lab, 'one');
  expect([node.spec.unschedulable, Object.values(node.metadata.annotations ?? {})]).toEqual([true, ['r1']]);
  await undone[0]?.();
  expect([node.spec.unschedulable, node.metadata.annotations]).toEqual([undefined, {}]);
});

it('gives up an eviction whose budget waits for a pod that cannot leave the node', async () => {
  const waiting = podWith('data', 'Pending');
  delete waiting.spec.nodeName;
  const { client } = fakeKube([waiting]);
  client.evict = () => Promise.resolve({ evicted: false, reason: 'not now' });
  const ties = [{ claim: 'data', pod: 'web-1', namespace: 'demo', says: 'claim data ties pod web-1' }];
  expect(await drained(client, [makePod({ name: 'web-2' })], ties)).toEqual([
    'pod web-2 was not evicted, because a budget waits for another one: claim data ties pod web-1',
  ]);
});
