import { describe, expect, it } from 'vitest';
import type { Clock } from '../../harness/core/deadline.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { DEVICE_PLUGIN_LABEL, forgetDevicePlugins, noteDevicePlugin } from './device-plugin-state.ts';
import { fakeKube, fakeNode } from '../testing/fake-kube.ts';
import { ensureGpuCapacity, GPU_SOURCE_ANNOTATION, gpuSourceOf } from './gpu-capacity.ts';

// As the kubelet of 1.36.3 wrote it.
const CHECKPOINT =
  '{"Data":{"PodDeviceEntries":[{"PodUID":"f7c82091-f8ed-4a7e-aaec-6090e67ab1ed","ContainerName":"c","ResourceName":"nvidia.com/gpu","DeviceIDs":{"-1":["GPU-n1-2","GPU-n1-0"]},"AllocResp":"CkkK"}],"RegisteredDevices":{"nvidia.com/gpu":["GPU-n1-0","GPU-n1-1","GPU-n1-2"]}},"Checksum":851694183}';

/** A node whose kubelet reports 0 GPUs as long as its checkpoint lists the resource. */
function nodeWithKubelet(checkpoint: string | undefined, more: KubeObject[] = []) {
  const node = fakeNode('n1');
  node['status'] = {
    conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-11-21T14:21:49Z' }],
    capacity: { 'nvidia.com/gpu': '3' },
    allocatable: { 'nvidia.com/gpu': '0' },
  };
  node.metadata.annotations = { [GPU_SOURCE_ANNOTATION]: 'device-plugin' };
  const lease: KubeObject = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'n1', namespace: 'kube-node-lease' },
    spec: { renewTime: '2026-01-01T00:00:00.000000Z' },
  };
  const { client, objects } = fakeKube([node, lease, ...more]);
  client.delete = (_kind, { name }) => {
    objects.splice(
      objects.findIndex((object) => object.metadata.name === name),
      1,
    );
    return Promise.resolve();
  };
  const kubelet = { checkpoint, running: true };
  const commands: string[] = [];
  const access: NodeAccess = {
    run(_node, command) {
      const line = command.join(' ');
      commands.push(line);
      let [exitCode, stdout] = [0, ''];
      if (command[0] === 'cat') [exitCode, stdout] = [kubelet.checkpoint ? 0 : 1, kubelet.checkpoint ?? ''];
      else if (line === 'systemctl start kubelet') kubelet.running = true;
      else if (line.includes('rm -f')) {
        kubelet.checkpoint = undefined;
        lease['spec'] = { renewTime: '2026-11-21T14:21:49.000000Z' };
        stdout = `${Date.parse('2026-11-21T14:21:48Z')}\n`;
      } else throw new Error(`the fake node knows no ${line}`);
      return Promise.resolve({ command: line, exitCode, stdout, stderr: '', durationMs: 1 });
    },
  };
  return { client, objects, access, commands, kubelet, node };
}

const clock: Clock = { now: () => 0, sleep: () => Promise.resolve() };
const plugin: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'gpu-device-plugin-n1', namespace: 'x', labels: { [DEVICE_PLUGIN_LABEL]: 'true' } },
  spec: { nodeName: 'n1', containers: [] },
};

describe('forgetDevicePlugins', () => {
  it('removes plugin and checkpoint, so that patched capacity stays', async () => {
    const { client, objects, access, kubelet, node } = nodeWithKubelet(CHECKPOINT, [{ ...plugin }]);
    expect(await forgetDevicePlugins({ kube: client, access, clock })).toEqual(['n1']);
    expect(objects.some((object) => object.kind === 'Pod')).toBe(false);
    expect(kubelet.checkpoint).toBeUndefined();
    expect(node).toMatchObject({ status: { capacity: {}, allocatable: {} } });
    expect(node['status']).not.toMatchObject({ capacity: { 'nvidia.com/gpu': expect.anything() } });
    await ensureGpuCapacity(client, [{ name: 'n1', gpus: 4 }], { clock });
    expect(gpuSourceOf(node as never)).toBe('status-patch');
  });

  it('runs no command on an unmarked node', async () => {
    const { client, access, commands, node } = nodeWithKubelet(CHECKPOINT);
    node.metadata.annotations = {};
    expect(await forgetDevicePlugins({ kube: client, access, clock })).toEqual([]);
    expect(await forgetDevicePlugins({ kube: client, access, nodes: ['n1'], clock })).toEqual([]);
    expect(commands).toEqual([]);
  });

  it('completes a call that was interrupted while the kubelet was stopped', async () => {
    const { client, access, kubelet, commands } = nodeWithKubelet(undefined);
    kubelet.running = false;
    expect(await forgetDevicePlugins({ kube: client, access, clock })).toEqual(['n1']);
    expect(kubelet.running).toBe(true);
    // A kubelet without a checkpoint is not restarted.
    expect(commands).toHaveLength(2);
    expect(await forgetDevicePlugins({ kube: client, access, clock })).toEqual([]);
  });

  it('rejects a kubelet that also has devices of other plugins', async () => {
    const both = CHECKPOINT.replace('"RegisteredDevices":{', '"RegisteredDevices":{"vendor.com/nic":["n0"],');
    const { client, access, kubelet } = nodeWithKubelet(both);
    await expect(forgetDevicePlugins({ kube: client, access, clock })).rejects.toMatchObject({
      code: 'E_DEVICE_CHECKPOINT',
      message: expect.stringContaining('vendor.com/nic') as string,
    });
    expect(kubelet.checkpoint).toBe(both);
  });

  it('names a plugin pod that is not removed', async () => {
    const { client, access } = nodeWithKubelet(CHECKPOINT, [{ ...plugin }]);
    client.delete = () => Promise.resolve();
    let now = 0;
    const passing: Clock = { now: () => now, sleep: (ms) => Promise.resolve(void (now += ms)) };
    await expect(forgetDevicePlugins({ kube: client, access, clock: passing })).rejects.toMatchObject({
      code: 'E_DEVICE_PLUGIN',
      message: expect.stringContaining('gpu-device-plugin-n1') as string,
    });
  });
});

it('removes the patched capacity when it marks a node for a device plugin', async () => {
  const node = fakeNode('n1');
  const { client } = fakeKube([node]);
  await ensureGpuCapacity(client, [{ name: 'n1', gpus: 4 }], { clock });
  await noteDevicePlugin(client, 'n1');
  expect(node['status']).toMatchObject({ capacity: {}, allocatable: {} });
  expect(node['status']).not.toMatchObject({ capacity: { 'nvidia.com/gpu': '4' } });
  expect(gpuSourceOf(node as never)).toBe('device-plugin');
});
