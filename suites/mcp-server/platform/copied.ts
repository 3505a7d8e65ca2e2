import type { KubeObject } from '../../../harness/kube/api/types.ts';

/** What the API server has chosen for this object, and refuses to give to another one. */
const CHOSEN: ReadonlySet<string> = new Set([
  'clusterIP',
  'clusterIPs',
  'nodePort',
  'healthCheckNodePort',
  'volumeName',
  'status',
]);

/** A live object as somebody else would create it in another namespace. */
export function copiedTo(namespace: string, object: KubeObject): KubeObject {
  const { name, labels, annotations } = object.metadata;
  const text = JSON.stringify(object, (key, value: unknown) => (CHOSEN.has(key) ? undefined : value));
  const copy = JSON.parse(text) as KubeObject;
  return {
    ...copy,
    metadata: { name, namespace, ...(labels && { labels }), ...(annotations && { annotations }) },
  };
}
