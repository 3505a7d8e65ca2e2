/** What is in a namespace, whatever its kind: the proof that something was taken down without a trace. */
import type { KubeClient } from './client.ts';

/** These two come with every namespace, a moment after it. */
const STANDARD = ['ConfigMap kube-root-ca.crt', 'ServiceAccount default'];

/** `Kind name` of everything in a namespace, sorted, but what Kubernetes itself keeps there or lets expire. */
export async function inventory(kube: KubeClient, namespace: string): Promise<string[]> {
  const kinds = (await kube.resources()).filter(
    ({ namespaced, verbs, kind }) =>
      namespaced &&
      verbs.includes('list') &&
      verbs.includes('delete') &&
      kind !== 'Event' &&
      kind !== 'Lease',
  );
  const lists = await Promise.all(
    kinds.map(async ({ apiVersion, kind }) =>
      (await kube.list({ apiVersion, kind }, { namespace })).map(
        ({ metadata }) => `${kind} ${metadata.name}`,
      ),
    ),
  );
  return [...new Set(lists.flat())].filter((entry) => !STANDARD.includes(entry)).toSorted();
}
