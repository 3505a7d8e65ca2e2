/** Waits until kubelets have measured what pods use of their local storage, by a pod of our own that has to be evicted for it. */
import { busyboxImage } from '../../fixtures/images/build.ts';
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { field } from '../../harness/kube/manifests/objects.ts';
import type { PodSpec } from '../../harness/kube/api/types.ts';
import { evictionOf } from '../../harness/observe/diagnose/explain/eviction.ts';
import { createBarePod } from '../../harness/run/suite/bare-pod.ts';
import { CheckSkipped } from '../../harness/run/suite/check.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';

/** A kubelet starts to measure the volumes of new pods once a minute, and looks for pods to evict every ten seconds (kubelet, defaults). */
const MEASURED_MS = 300_000;

const OVERFLOW = ['sh', '-c', 'dd if=/dev/zero of=/filled/file bs=64k count=64 && exec sleep 3600'];

/** An emptyDir on disk with a size limit, or a container with a limit of ephemeral storage: the kubelet evicts the pod for more. */
export function hasStorageLimit({ volumes = [], containers }: PodSpec): boolean {
  return (
    volumes.some(
      ({ emptyDir }) => emptyDir?.['sizeLimit'] !== undefined && emptyDir['medium'] !== 'Memory',
    ) || containers.some(({ resources }) => field(resources?.limits, 'ephemeral-storage') !== undefined)
  );
}

/**
 * Starts a pod on each of these nodes that writes more than its volume may hold, and waits until each was evicted. The kubelets have then
 * measured each pod that is older.
 *
 * @throws CheckSkipped when a kubelet evicts nothing: it does not measure local storage
 */
export async function storageMeasured(lab: Lab, nodes: readonly string[]): Promise<void> {
  const { kube } = lab;
  const namespace = await lab.namespace();
  await Promise.all(
    nodes.map(async (node, index) => {
      const name = `overflow-${index}`;
      await createBarePod(kube, {
        name,
        namespace,
        image: busyboxImage.ref,
        command: OVERFLOW,
        node,
        tolerations: [{ operator: 'Exists' }],
        volume: { mountPath: '/filled', sizeLimit: '64Ki' },
      });
      await evicted(kube, { name, namespace, node });
    }),
  );
}

async function evicted(
  kube: KubeClient,
  { name, namespace, node }: { name: string; namespace: string; node: string },
): Promise<void> {
  try {
    await waitFor({
      what: `the kubelet of ${node} to evict a pod that exceeds the limit of its volume`,
      timeoutMs: MEASURED_MS,
      look: async () => {
        const pod = await kube.get('Pod', { name, namespace });
        const fieldSelector = `involvedObject.name=${name}`;
        const events = await kube.list('Event', { namespace, fieldSelector });
        const message = pod && evictionOf(pod, events);
        if (message !== undefined) return { done: true, value: undefined };
        return { done: false, seen: pod ? `it is ${pod.status?.phase ?? 'without a phase'}` : 'it is gone' };
      },
    });
  } catch (error) {
    // The pod of the check exceeds its limit for certain, so this says nothing about the chart.
    if (error instanceof WaitTimeout)
      throw new CheckSkipped(`local storage is not measured: ${error.message}`);
    throw error;
  }
}
