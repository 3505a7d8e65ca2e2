import { describe, expect, it } from 'vitest';
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { fakeKube, fakeNode, fakeSystemPod } from '../testing/fake-kube.ts';
import { gpuGroup } from '../topology.ts';
import { plannedNodes } from './planned-nodes.ts';
import { restartNode } from './restart-node.ts';

const CLUSTER = 'kp-x';
const WORKER = 'kp-x-worker';
const RESTARTED = '2026-11-21T14:18:46.612Z';

function cluster() {
  const planned = plannedNodes(CLUSTER, { groups: [gpuGroup([4])] });
  const worker = fakeNode(WORKER, {
    labels: { ...planned[1]!.labels },
    spec: { taints: planned[1]!.taints },
  });
  const objects: KubeObject[] = [fakeNode('kp-x-control-plane'), worker, fakeSystemPod('coredns')];
  const kube = fakeKube(objects);
  const commands: string[] = [];
  const run: CommandRunner = {
    run(file, args) {
      commands.push([file, ...args].join(' '));
      const stdout =
        args[0] === 'ps'
          ? `kp-x-control-plane\tcontrol-plane\trunning\n${WORKER}\tworker\trunning\n`
          : args[0] === 'inspect'
            ? `/${WORKER} ${RESTARTED}\n`
            : '';
      return Promise.resolve({ command: '', exitCode: 0, stdout, stderr: '', durationMs: 1 });
    },
  };
  let now = 0;
  let heartbeatAfter = Infinity;
  const clock: Clock = {
    now: () => now,
    sleep(ms) {
      now += ms;
      if (now >= heartbeatAfter) {
        const { status } = worker as unknown as { status: { conditions: { lastHeartbeatTime: string }[] } };
        status.conditions[0]!.lastHeartbeatTime = '2026-11-21T14:18:48Z';
      }
      return Promise.resolve();
    },
  };
  return {
    worker,
    commands,
    now: () => now,
    reports: (afterMs: number) => (heartbeatAfter = afterMs),
    restart: (node: string) =>
      restartNode({ cluster: CLUSTER, node, kube: kube.client, plannedNodes: planned, run, clock }),
  };
}

describe('restartNode', () => {
  it('waits for a heartbeat of the new kubelet and restores what is planned', async () => {
    const { restart, reports, worker, commands, now } = cluster();
    reports(4000);
    worker.metadata.labels = {};
    expect(await restart(WORKER)).toEqual([
      `label nvidia.com/gpu.present=true of ${WORKER} restored`,
      `GPU capacity of ${WORKER} restored`,
    ]);
    expect(now()).toBeGreaterThanOrEqual(4000);
    expect(commands).toContain(`docker restart --time 10 ${WORKER}`);
    expect(worker).toMatchObject({ status: { allocatable: { 'nvidia.com/gpu': '4' } } });
  });

  it('names a node that does not report again', async () => {
    await expect(cluster().restart(WORKER)).rejects.toMatchObject({
      code: 'E_CLUSTER_NOT_READY',
      message: expect.stringContaining(WORKER) as string,
    });
  });

  it.each(['kp-x-control-plane', 'other'])('rejects %s without restarting anything', async (node) => {
    const { restart, commands } = cluster();
    await expect(restart(node)).rejects.toMatchObject({ code: 'E_NODE_RESTART', exitCode: 3 });
    expect(commands.some((command) => command.includes('restart'))).toBe(false);
  });
});
