/** What `kubectl debug` does: it adds a container to a running pod. */
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { Container, Pod } from '../../harness/kube/api/types.ts';

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
