import { expect, it } from 'vitest';
import type { Clock } from '../../harness/core/deadline.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { fakeKube, fakeNode } from '../testing/fake-kube.ts';
import { restartKubelet } from './restart-kubelet.ts';

const STOPPED = Date.parse('2026-11-21T14:20:26.500Z');

/** The API's view of a node after its kubelet was stopped. Each sleep of the clock advances to the next lease renewal. */
function restarting(
  renewals: readonly string[],
  { ready = 'True', heartbeat = '2026-11-21T14:20:28Z', taints = [] as string[] } = {},
) {
  const node = fakeNode('n1');
  node['spec'] = { taints: taints.map((key) => ({ key, effect: 'NoSchedule' })) };
  node['status'] = { conditions: [{ type: 'Ready', status: ready, lastHeartbeatTime: heartbeat }] };
  const lease: KubeObject = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'n1', namespace: 'kube-node-lease' },
    spec: { renewTime: renewals[0] },
  };
  let looks = 0;
  let now = 0;
  const clock: Clock = {
    now: () => now,
    sleep(ms) {
      now += ms;
      looks += 1;
      lease['spec'] = { renewTime: renewals[Math.min(looks, renewals.length - 1)] };
      return Promise.resolve();
    },
  };
  const commands: (readonly string[])[] = [];
  const access: NodeAccess = {
    run(_node, command) {
      commands.push(command);
      const stdout = `${STOPPED}\n`;
      return Promise.resolve({ command: '', exitCode: 0, stdout, stderr: '', durationMs: 1 });
    },
  };
  return { kube: fakeKube([node, lease]).client, access, node: 'n1', clock, commands, looks: () => looks };
}

it('waits for a lease renewal by the new kubelet', async () => {
  const restart = restarting([
    '2026-11-21T14:20:19.000000Z',
    '2026-11-21T14:20:26.499000Z',
    '2026-11-21T14:20:28.100000Z',
  ]);
  await restartKubelet({ ...restart, whileStopped: 'rm -f x' });
  expect(restart.looks()).toBe(2);
  expect(restart.commands).toEqual([
    ['sh', '-c', expect.stringContaining('systemctl start kubelet') as string, 'restart', 'rm -f x'],
  ]);
});

const later = ['2026-11-21T14:20:30.000000Z'];

it.each([
  {
    why: 'the lease is not renewed',
    restart: restarting(['2026-11-21T14:20:19.000000Z']),
    says: /lease has not been renewed/,
  },
  {
    why: 'the node has the not-ready taint',
    restart: restarting(later, { taints: ['nvidia.com/gpu', 'node.kubernetes.io/not-ready'] }),
    says: /is not Ready/,
  },
  { why: 'the node is not Ready', restart: restarting(later, { ready: 'False' }), says: /is not Ready/ },
  {
    why: 'the status is from the second in which the old kubelet stopped',
    restart: restarting(later, { heartbeat: '2026-11-21T14:20:26Z' }),
    says: /of the old kubelet/,
  },
])('times out while $why', async ({ restart, says }) => {
  await expect(restartKubelet(restart)).rejects.toMatchObject({
    code: 'E_KUBELET_RESTART',
    exitCode: 3,
    message: expect.stringMatching(says) as string,
  });
});
