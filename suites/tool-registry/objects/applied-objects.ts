/** Live objects before and after they were applied again. */
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { nameOf } from '../../../harness/kube/manifests/objects.ts';

/** The configured part of each object as JSON, by `Kind name`. */
export type Snapshot = ReadonlyMap<string, string>;

/** The present state of each object; missing ones are left out. */
export async function snapshot(
  kube: KubeClient,
  namespace: string,
  objects: readonly KubeObject[],
): Promise<Snapshot> {
  const found = await Promise.all(
    objects.map(async (object) => {
      const { apiVersion, kind, metadata } = object;
      const live = await kube.get({ apiVersion, kind }, { name: metadata.name, namespace });
      return live ? [[nameOf(object), configuredPart(live)] as const] : [];
    }),
  );
  return new Map(found.flat());
}

/** Without what controllers write. */
function configuredPart(object: KubeObject): string {
  const { uid, generation, labels, annotations } = object.metadata;
  return JSON.stringify({ ...object, metadata: { uid, generation, labels, annotations }, status: undefined });
}

/** Every object exists in both snapshots and is the same. Of others only the name is reported: they may be Secrets. */
export function unchanged(before: Snapshot, after: Snapshot): PredicateResult {
  const complaints = [...before].flatMap(([name, content]) => {
    const now = after.get(name);
    if (now === undefined) return [`${name} is gone`];
    return now === content ? [] : [`${name} has changed`];
  });
  const created = [...after.keys()].filter((name) => !before.has(name)).map((name) => `${name} is created`);
  const result = nothingWrong(`${before.size} objects unchanged`, [...complaints, ...created]);
  return { ...result, ok: result.ok && before.size > 0, observed: [...before.keys()] };
}

/** Applies the objects one by one in this order, as `kubectl apply --server-side` does. */
export async function applyInOrder(
  kube: KubeClient,
  namespace: string,
  objects: readonly KubeObject[],
): Promise<void> {
  for (const object of objects) await kube.apply(object, { namespace });
}
