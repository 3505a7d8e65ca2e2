/** Pods of somebody else, who computes on GPUs or does not: what the agent must not be in the way of. */
import { GPU_RESOURCE } from '../../clusters/gpu-capacity.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import type { KubeClient } from '../../harness/kube/client.ts';
import type { Pod, PodSpec } from '../../harness/kube/types.ts';

export interface WorkloadPod {
  name: string;
  namespace: string;
  /** With a `sleep`. */
  image: string;
  /** The scheduler may choose this node only. */
  node?: string;
  tolerations?: PodSpec['tolerations'];
  gpus?: number;
  runtimeClassName?: string;
}

/** What lets a workload onto GPU nodes. */
export const GPU_TOLERATION = { key: GPU_RESOURCE, operator: 'Exists', effect: 'NoSchedule' };

const HOSTNAME = 'kubernetes.io/hostname';

export function workloadSpec(wanted: Omit<WorkloadPod, 'name' | 'namespace'>): PodSpec {
  const { image, node, tolerations, gpus = 0, runtimeClassName } = wanted;
  const list = { cpu: '1m', memory: '8Mi' };
  return {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    ...(node === undefined ? {} : { nodeSelector: { [HOSTNAME]: node } }),
    ...(tolerations && { tolerations }),
    ...(runtimeClassName === undefined ? {} : { runtimeClassName }),
    containers: [
      {
        name: 'workload',
        image,
        command: ['sleep', 'infinity'],
        resources: {
          requests: list,
          limits: { cpu: '50m', memory: '16Mi', ...(gpus > 0 && { [GPU_RESOURCE]: String(gpus) }) },
        },
      },
    ],
  };
}

/** Creates it; where it goes is the scheduler's business. */
export async function createWorkload(kube: KubeClient, wanted: WorkloadPod): Promise<void> {
  const { name, namespace } = wanted;
  await kube.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: workloadSpec(wanted),
  });
}

/** @throws WaitTimeout with the scheduler's or the node's words */
export function workloadRuns(
  kube: KubeClient,
  { name, namespace }: Pick<WorkloadPod, 'name' | 'namespace'>,
  what: string,
): Promise<Pod> {
  return waitFor({
    what,
    timeoutMs: 30_000,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace });
      if (pod?.status?.phase === 'Running') return { done: true, value: pod };
      return { done: false, seen: pod === undefined ? `pod ${name} is gone` : scheduled(pod) };
    },
  });
}

/**
 * The scheduler's words about why it cannot place the pod.
 *
 * @throws WaitTimeout, early when it was placed all the same
 */
export function workloadRefused(
  kube: KubeClient,
  { name, namespace }: Pick<WorkloadPod, 'name' | 'namespace'>,
  what: string,
): Promise<string> {
  return waitFor({
    what,
    timeoutMs: 30_000,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace });
      const node = pod?.spec.nodeName;
      if (node !== undefined) return { done: false, seen: `it is on ${node}`, hopeless: 'it was placed' };
      const condition = pod?.status?.conditions?.find((c) => c.type === 'PodScheduled');
      return condition?.status === 'False'
        ? { done: true, value: condition.message ?? '' }
        : { done: false, seen: 'not looked at yet' };
    },
  });
}

function scheduled({ status, spec }: Pod): string {
  const condition = status?.conditions?.find((c) => c.type === 'PodScheduled');
  const where = spec.nodeName ?? 'no node';
  return [status?.phase ?? 'new', where, condition?.status === 'False' ? (condition.message ?? '') : '']
    .filter((part) => part !== '')
    .join(', ');
}
