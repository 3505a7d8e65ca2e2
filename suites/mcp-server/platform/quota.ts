import { waitFor } from '../../../harness/core/deadline.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import { field } from '../../../harness/kube/manifests/objects.ts';

const QUOTA = { apiVersion: 'v1', kind: 'ResourceQuota' } as const;

/** From now on the API server refuses every new object of the kind in the namespace: `pods`, `services`. Existing ones stay. */
export async function allowNone(kube: KubeClient, namespace: string, plural: string): Promise<void> {
  const name = `kindproof-no-${plural}`;
  await kube.create({ ...QUOTA, metadata: { name, namespace }, spec: { hard: { [plural]: '0' } } });
  await waitFor({
    what: `quota ${name} in namespace ${namespace} to be enforced`,
    timeoutMs: 30_000,
    look: async () => {
      const quota = await kube.get(QUOTA, { name, namespace });
      return field(field(quota?.['status'], 'hard'), plural) === '0'
        ? { done: true, value: undefined }
        : { done: false, seen: 'no status' };
    },
  });
}
