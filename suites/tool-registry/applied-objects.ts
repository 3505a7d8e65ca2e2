/** Objects as they are in the cluster, before and after somebody has applied them again. */
import { nothingWrong, type PredicateResult } from '../../harness/observe/predicates/result.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { nameOf } from '../../harness/kube/manifests/objects.ts';

/** By `Kind name`: what somebody asked for, in a form that can be compared. */
export type Snapshot = ReadonlyMap<string, string>;

/** Each of the objects as it is now; those that do not exist are left out. */
export async function snapshot(
  kube: KubeClient,
  namespace: string,
  objects: readonly KubeObject[],
): Promise<Snapshot> {
  const found = await Promise.all(
    objects.map(async (object) => {
      const { apiVersion, kind, metadata } = object;
      const live = await kube.get({ apiVersion, kind }, { name: metadata.name, namespace });
      return live ? [[nameOf(object), askedFor(live)] as const] : [];
    }),
  );
  return new Map(found.flat());
}

/** Nothing but what controllers write. */
function askedFor(object: KubeObject): string {
  const { uid, generation, labels, annotations } = object.metadata;
  return JSON.stringify({ ...object, metadata: { uid, generation, labels, annotations }, status: undefined });
}

/** Every object is there both times and the same; of one that is not, only the name is told, because it may be a Secret. */
export function unchanged(before: Snapshot, after: Snapshot): PredicateResult {
  const complaints = [...before].flatMap(([name, content]) => {
    const now = after.get(name);
    if (now === undefined) return [`${name} is gone`];
    return now === content ? [] : [`${name} is configured anew`];
  });
  const created = [...after.keys()].filter((name) => !before.has(name)).map((name) => `${name} is created`);
  const verdict = nothingWrong(`${before.size} objects unchanged`, [...complaints, ...created]);
  return { ...verdict, ok: verdict.ok && before.size > 0, observed: [...before.keys()] };
}

/** In this order, as `kubectl apply --server-side` does. */
export async function applyInOrder(
  kube: KubeClient,
  namespace: string,
  objects: readonly KubeObject[],
): Promise<void> {
  for (const object of objects) await kube.apply(object, { namespace });
}
