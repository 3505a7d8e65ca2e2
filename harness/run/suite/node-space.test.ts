import { describe, expect, it } from 'vitest';
import type { Pod } from '../../kube/api/types.ts';
import { ago, makeNode, makePod } from '../../testing/sample-world.ts';
import { fitsHalf, hasRoom, type Tenant } from './node-space.ts';
import type { DemandedPod } from './release-demand.ts';

const PLANE = makeNode('plane', {
  taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
});
const [ONE, TWO] = [makeNode('one', { labels: { disk: 'ssd' } }), makeNode('two')];
const NODES = [PLANE, ONE, TWO];
const Gi = 2 ** 30;

function wanted(cpu: number, more: Partial<DemandedPod> & { memory?: number } = {}): DemandedPod {
  const { memory = 0, ...rest } = more;
  return { of: 'Deployment web', requests: { cpu, memory }, spec: {}, apart: false, surge: false, ...rest };
}

function many(count: number, pod: DemandedPod): DemandedPod[] {
  return Array.from({ length: count }, () => pod);
}

interface LivePod {
  namespace?: string;
  terminating?: boolean;
  phase?: 'Running' | 'Succeeded';
}

function live(
  cpu: number,
  node: string | undefined,
  { namespace = 'others', terminating = false, phase = 'Running' }: LivePod = {},
): Pod {
  const pod = makePod({
    phase,
    metadata: { namespace, ...(terminating && { deletionTimestamp: ago(1) }) },
    spec: { containers: [{ name: 'app', image: 'web:1', resources: { requests: { cpu: `${cpu}m` } } }] },
  });
  if (node === undefined) delete pod.spec.nodeName;
  else pod.spec.nodeName = node;
  return pod;
}

const tenant = (demand: DemandedPod[]): Tenant => ({ demand, namespaces: new Set(['own']) });
const own = { namespace: 'own' };

describe('hasRoom', () => {
  it.each<[boolean, string, Pod[], DemandedPod[]]>([
    [true, 'what the nodes have', [], many(8, wanted(500))],
    [false, 'more than they have', [], many(9, wanted(500))],
    [
      false,
      'a pod that fits what is left together, and no node alone',
      [live(800, 'one'), live(800, 'two')],
      [wanted(1500)],
    ],
    [true, 'large and small pods in any order', [], [wanted(500), wanted(500), wanted(1500), wanted(1500)]],
    [false, 'more memory than a node has', [], [wanted(0, { memory: 9 * Gi })]],
    [true, 'as much memory as it has', [], [wanted(0, { memory: 8 * Gi })]],
    [
      true,
      'a pod of the node with the label',
      [],
      [wanted(2000, { spec: { nodeSelector: { disk: 'ssd' } } })],
    ],
    [
      false,
      'a pod of the node with the label beside others',
      [live(100, 'one')],
      [wanted(2000, { spec: { nodeSelector: { disk: 'ssd' } } })],
    ],
    [
      true,
      'pods of one node before those of all',
      [],
      [...many(2, wanted(1000)), ...many(2, wanted(1000, { spec: { nodeSelector: { disk: 'ssd' } } }))],
    ],
    [false, 'an unknown label', [], [wanted(1, { spec: { nodeSelector: { disk: 'tape' } } })]],
    [
      true,
      'a taint that is tolerated',
      [],
      many(12, wanted(500, { spec: { tolerations: [{ operator: 'Exists' }] } })),
    ],
    [
      true,
      'pods of a DaemonSet on their nodes',
      [],
      [wanted(2000, { node: 'plane' }), wanted(2000, { node: 'two' })],
    ],
    [false, 'a pod of a DaemonSet on a full node', [live(100, 'two')], [wanted(2000, { node: 'two' })]],
    [true, 'as many pods as nodes that keep apart', [], many(2, wanted(100, { apart: true }))],
    [false, 'one more than nodes', [], many(3, wanted(100, { apart: true }))],
    [true, 'a pod that has ended', [live(2000, 'one', { phase: 'Succeeded' })], many(4, wanted(1000))],
    [false, 'a terminating pod', [live(2000, 'one', { terminating: true })], many(4, wanted(1000))],
    [false, 'a pod that has no node yet', [live(2000, undefined)], many(4, wanted(1000))],
    [true, 'a pod that will never have one', [live(5000, undefined)], many(4, wanted(1000))],
    [true, 'nothing on a node that gave too much away', [live(2500, 'one'), live(2500, 'two')], [wanted(0)]],
    [true, 'pods of a node that is not known', [live(2000, 'new')], many(4, wanted(1000))],
  ])('is %s for %s', (is, _, pods, demand) => {
    expect(hasRoom(NODES, pods, [], demand)).toBe(is);
  });

  it('counts pods', () => {
    const small = makeNode('small', { allocatable: { cpu: '2', memory: '8Gi', pods: '2' } });
    expect(hasRoom([small], [live(0, 'small')], [], [wanted(0)])).toBe(true);
    expect(hasRoom([small], [live(0, 'small')], [], many(2, wanted(0)))).toBe(false);
  });

  const half = many(4, wanted(500));
  it.each<[boolean, string, DemandedPod[], Pod[], DemandedPod[]]>([
    [true, 'what its pods will need', half, [], half],
    [false, 'more than that', half, [], many(5, wanted(500))],
    [true, 'its pods once', half, many4(), half],
    [false, 'its pods where they are', half, many4(), [wanted(1500)]],
    [false, 'pods that it did not ask for', half, [...many4(), live(500, 'two', own)], half],
    [false, 'pods of others too', half, [...many4(), live(500, 'two')], half],
    [
      false,
      'its terminating pods beside their replacements',
      half,
      [live(500, 'one', { ...own, terminating: true })],
      half,
    ],
    [true, 'its pods without a node once', half, [live(500, undefined, own)], half],
    [false, 'one of an update that may come', [...half, wanted(500, { surge: true })], many4(), half],
    [
      false,
      'a pod of a DaemonSet that is still to come',
      [wanted(1000, { node: 'one' }), wanted(1000, { node: 'two' })],
      [live(1000, 'one', own)],
      [wanted(2000)],
    ],
    [
      false,
      'the nodes of pods that keep apart',
      many(2, wanted(100, { apart: true })),
      [live(100, 'one', own)],
      many(2, wanted(2000)),
    ],
    [true, 'none for what never fits', [wanted(5000)], [], many(4, wanted(1000))],
  ])('is %s beside somebody who holds %s', (is, _, held, pods, demand) => {
    expect(hasRoom(NODES, pods, [tenant(held)], demand)).toBe(is);
  });

  /** Two on each node. */
  function many4(): Pod[] {
    return ['one', 'one', 'two', 'two'].map((node) => live(500, node, own));
  }
});

describe('fitsHalf', () => {
  it.each([
    [true, 'pods of half of the nodes', many(4, wanted(500))],
    [false, 'more', many(5, wanted(500))],
    [false, 'a pod larger than half a node', [wanted(1100)]],
    [false, 'half of all on one node', many(4, wanted(500, { spec: { nodeSelector: { disk: 'ssd' } } }))],
  ])('is %s for %s', (is, _, demand) => {
    expect(fitsHalf(NODES, demand)).toBe(is);
  });
});
