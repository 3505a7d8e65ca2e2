/** What `kubectl debug` does: another container in a pod that runs already. */
import { z } from 'zod';
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/client.ts';
import type { Container, Pod } from '../../harness/kube/types.ts';

const statusSchema = z.looseObject({
  ephemeralContainerStatuses: z
    .array(
      z.looseObject({
        name: z.string(),
        state: z.looseObject({ running: z.looseObject({}).optional() }).optional(),
      }),
    )
    .default([]),
});

/**
 * Starts a pod that does nothing on a node and belongs to nobody: an ordinary workload, without a runtime class.
 *
 * @throws WaitTimeout when it does not run
 */
export async function startIdlePod(
  kube: KubeClient,
  { namespace, node, image }: { namespace: string; node: string; image: string },
): Promise<Pod> {
  const name = 'workload';
  await kube.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name,
          image,
          command: ['sleep', 'infinity'],
          resources: { requests: { cpu: '1m', memory: '10Mi' }, limits: { cpu: '200m', memory: '64Mi' } },
        },
      ],
    },
  });
  return podWhere(kube, { namespace, name }, 'running', (pod) => pod.status?.phase === 'Running');
}

/**
 * Adds an ephemeral container to a pod.
 *
 * @throws ApiError when the API server refuses it
 */
export async function addEphemeralContainer(kube: KubeClient, pod: Pod, container: Container): Promise<void> {
  const { name, namespace } = pod.metadata;
  const patch = { spec: { ephemeralContainers: [container] } };
  await kube.patch('Pod', { name, namespace }, patch, { subresource: 'ephemeralcontainers' });
}

/** Waits until it runs. */
export function ephemeralContainerRuns(kube: KubeClient, pod: Pod, container: string): Promise<Pod> {
  return podWhere(kube, pod.metadata, `running container ${container}`, ({ status }) =>
    statusSchema
      .parse(status ?? {})
      .ephemeralContainerStatuses.some(
        ({ name, state }) => name === container && state?.running !== undefined,
      ),
  );
}

function podWhere(
  kube: KubeClient,
  { name, namespace }: { name: string; namespace?: string },
  state: string,
  holds: (pod: Pod) => boolean,
): Promise<Pod> {
  return waitFor({
    what: `pod ${name} to be ${state}`,
    timeoutMs: 60_000,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace });
      if (!pod) throw new CheckFailure('E_NOT_FOUND', `pod ${name} is gone`);
      if (holds(pod)) return { done: true, value: pod };
      return { done: false, seen: JSON.stringify(pod.status ?? {}) };
    },
  });
}
