/** Namespaces that can be used at once. */
import type { Clock } from '../../core/deadline.ts';
import { waitFor, WaitTimeout } from '../../core/deadline.ts';
import { InfrastructureError } from '../../core/errors.ts';
import type { KubeClient } from './client.ts';

const ACCOUNT = 'default';
/** A controller manager that starts again takes half a minute, and then has to become the leader. */
const ACCOUNT_MS = 90_000;

/**
 * Creates a namespace and waits for its ServiceAccount, which a controller brings a moment later: until then the API server refuses pods.
 *
 * @throws InfrastructureError `E_NAMESPACE` when it does not come: the controllers do not work
 */
export async function createNamespace(
  kube: KubeClient,
  { name, labels }: { name: string; labels: Record<string, string> },
  { clock, signal }: { clock?: Clock | undefined; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  try {
    await waitFor({
      what: `ServiceAccount ${ACCOUNT} of namespace ${name}`,
      timeoutMs: ACCOUNT_MS,
      intervalMs: 50,
      ...(clock && { clock }),
      signal,
      look: async () =>
        (await kube.get('ServiceAccount', { name: ACCOUNT, namespace: name }, { signal }))
          ? { done: true, value: undefined }
          : { done: false, seen: 'it is not there' },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError('E_NAMESPACE', error.message, {
      cause: error,
      hint: 'look at the controller manager of the cluster: it makes what belongs to a namespace',
    });
  }
}
