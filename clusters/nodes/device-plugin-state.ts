/**
 * What a device plugin leaves behind in a kubelet, and how to reset the node.
 *
 * While the kubelet remembers the plugin, it reports the resource as 0 and overwrites any other number in the node's status (on 1.36:
 * capacity stays and allocatable is 0 for five minutes; after a restart both are 0). It keeps this state in a checkpoint file, which
 * it reads when it starts (Kubernetes, pkg/kubelet/cm/devicemanager).
 */
import { z } from 'zod';
import type { Clock } from '../../harness/core/deadline.ts';
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Node } from '../../harness/kube/api/types.ts';
import type { GpuSource, NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { GPU_RESOURCE, GPU_SOURCE_ANNOTATION, gpuSourceOf } from './gpu-capacity.ts';
import { restartKubelet } from './restart-kubelet.ts';

/** The kubelet's folder of plugin sockets. */
export const DEVICE_PLUGIN_FOLDER = '/var/lib/kubelet/device-plugins';
/** Label of the stand-in plugins' pods: a later run finds those of an interrupted one by it. */
export const DEVICE_PLUGIN_LABEL = 'kindproof.dev/device-plugin';
const CHECKPOINT = `${DEVICE_PLUGIN_FOLDER}/kubelet_internal_checkpoint`;

// {"Data":{"PodDeviceEntries":[…],"RegisteredDevices":{"nvidia.com/gpu":["GPU-0"]}},"Checksum":851694183}
const checkpointSchema = z.looseObject({
  Data: z.looseObject({ RegisteredDevices: z.record(z.string(), z.unknown()).nullish() }),
});

export interface ForgetDevicePlugins {
  kube: KubeClient;
  access: NodeAccess;
  /** Default: every node whose GPU source is a device plugin. Other nodes of the list are ignored. */
  nodes?: readonly string[] | undefined;
  clock?: Clock | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Marks a node whose GPUs a stand-in plugin is about to provide. Called before the plugin starts, so that an interruption cannot leave
 * an unmarked node. Also removes the current capacity: every GPU that the node advertises from now on is the plugin's.
 */
export async function noteDevicePlugin(kube: KubeClient, node: string): Promise<void> {
  await kube.patch('Node', { name: node }, advertiseNothing('device-plugin'), { subresource: 'status' });
}

function advertiseNothing(source: GpuSource | null): Record<string, unknown> {
  const none = { [GPU_RESOURCE]: null };
  return {
    metadata: { annotations: { [GPU_SOURCE_ANNOTATION]: source } },
    status: { capacity: none, allocatable: none },
  };
}

/**
 * Removes the stand-in plugins and makes their kubelets forget them. Afterwards the nodes advertise no GPUs, and patched capacity
 * stays. Running containers are not stopped. Idempotent; completes an interrupted call.
 *
 * @returns names of the nodes that were reset
 * @throws InfrastructureError `E_DEVICE_CHECKPOINT` when a kubelet also has devices of other plugins, which it would forget too
 */
export async function forgetDevicePlugins(options: ForgetDevicePlugins): Promise<string[]> {
  const { kube } = options;
  const marked = (await kube.list('Node')).filter(
    (node) => gpuSourceOf(node) === 'device-plugin' && (options.nodes?.includes(node.metadata.name) ?? true),
  );
  if (marked.length === 0) return [];
  const names = marked.map((node) => node.metadata.name);
  // A stopped kubelet never finishes deleting its pods; starting a running one has no effect.
  await Promise.all(names.map((name) => options.access.run(name, ['systemctl', 'start', 'kubelet'])));
  await removePlugins(names, options);
  await Promise.all(marked.map((node) => forget(node, options)));
  return names;
}

async function removePlugins(
  nodes: readonly string[],
  { kube, clock, signal }: ForgetDevicePlugins,
): Promise<void> {
  try {
    await waitFor({
      what: 'the device plugins to be gone',
      timeoutMs: 60_000,
      intervalMs: 500,
      ...(clock && { clock }),
      signal,
      look: async () => {
        const all = await kube.list('Pod', { labelSelector: DEVICE_PLUGIN_LABEL });
        const pods = all.filter((pod) => nodes.includes(pod.spec.nodeName ?? ''));
        for (const { metadata } of pods) {
          const { name, namespace, deletionTimestamp } = metadata;
          if (deletionTimestamp === undefined) await kube.delete('Pod', { name, namespace });
        }
        if (pods.length === 0) return { done: true, value: undefined };
        return { done: false, seen: pods.map((pod) => pod.metadata.name).join(', ') };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError('E_DEVICE_PLUGIN', error.message, { cause: error });
  }
}

async function forget(node: Node, { kube, access, clock, signal }: ForgetDevicePlugins): Promise<void> {
  const { name } = node.metadata;
  if (await remembersGpus(access, name)) {
    await restartKubelet({ kube, access, node: name, whileStopped: `rm -f ${CHECKPOINT}`, clock, signal });
  }
  await kube.patch('Node', { name }, advertiseNothing(null), { subresource: 'status' });
}

async function remembersGpus(access: NodeAccess, node: string): Promise<boolean> {
  const { stdout, exitCode } = await access.run(node, ['cat', CHECKPOINT], { reject: false });
  // A kubelet without plugins has no checkpoint.
  if (exitCode !== 0) return false;
  const known = Object.keys(checkpointSchema.parse(JSON.parse(stdout)).Data.RegisteredDevices ?? {});
  if (!known.includes(GPU_RESOURCE)) return false;
  const others = known.filter((resource) => resource !== GPU_RESOURCE);
  if (others.length > 0) {
    throw new InfrastructureError(
      'E_DEVICE_CHECKPOINT',
      `${node} cannot be reset: its kubelet also has devices of ${others.join(', ')}`,
      {
        hint: 'the checkpoint has a checksum, so it can only be removed as a whole: use a cluster without other device plugins',
      },
    );
  }
  return true;
}
