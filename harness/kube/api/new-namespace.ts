/** Creates namespaces that are ready for pods. */
import type { Clock } from '../../core/deadline.ts';
import { waitFor, WaitTimeout } from '../../core/deadline.ts';
import { InfrastructureError } from '../../core/errors.ts';
import type { KubeClient } from './client.ts';

const ACCOUNT = 'default';
/** A restarting controller manager takes half a minute and must then become the leader. */
const ACCOUNT_MS = 90_000;

/**
 * Creates a namespace and waits until a controller has created its ServiceAccount: without it the API server rejects pods.
 *
 * @throws InfrastructureError `E_NAMESPACE` when the ServiceAccount does not appear: the controllers do not work
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
          : { done: false, seen: 'it does not exist' },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError('E_NAMESPACE', error.message, {
      cause: error,
      hint: 'check the controller manager of the cluster, which creates ServiceAccounts',
    });
  }
}
