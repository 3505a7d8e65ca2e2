/** The objects of a namespace of all kinds, to prove that an uninstall leaves nothing behind. */
import type { KubeClient } from './client.ts';

/** Kubernetes creates these two in every namespace, shortly after it. */
const STANDARD = ['ConfigMap kube-root-ca.crt', 'ServiceAccount default'];

/** `Kind name` of every object in a namespace, sorted, without Events, Leases and objects that Kubernetes itself creates. */
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
