/** What `kubectl debug` does: another container in a pod that runs already. */
import { z } from 'zod';
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Container, Pod } from '../../harness/kube/api/types.ts';

const statusSchema = z.looseObject({
  ephemeralContainerStatuses: z
    .array(
      z.looseObject({
        name: z.string(),
        state: z
          .looseObject({
            running: z.looseObject({}).optional(),
            waiting: z.looseObject({}).optional(),
            terminated: z.looseObject({}).optional(),
          })
          .default({}),
      }),
    )
    .default([]),
});

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

/**
 * Waits until it runs.
 *
 * @throws WaitTimeout with its state, early when it has ended: it is not started again
 */
export function ephemeralContainerRuns(
  kube: KubeClient,
  { metadata: { name, namespace } }: Pod,
  container: string,
): Promise<Pod> {
  return waitFor<Pod>({
    what: `ephemeral container ${container} of pod ${name} to run`,
    timeoutMs: 60_000,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace });
      if (!pod) throw new CheckFailure('E_NOT_FOUND', `pod ${name} is gone`);
      const { ephemeralContainerStatuses } = statusSchema.parse(pod.status ?? {});
      const state = ephemeralContainerStatuses.find((status) => status.name === container)?.state;
      if (state?.running) return { done: true, value: pod };
      const seen = state ? JSON.stringify(state) : 'the kubelet has not looked at it yet';
      return state?.terminated ? { done: false, seen, hopeless: 'it has ended' } : { done: false, seen };
    },
  });
}
