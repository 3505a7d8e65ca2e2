/**
 * What runs created on a cluster that outlives them: their namespaces, and what their charts and manifests made outside of these. An object
 * belongs to a run by a mark, never by its name or the time of its creation.
 */
import { z } from 'zod';
import type { Clock } from '../../harness/core/deadline.ts';
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InterruptedError, messageOf } from '../../harness/core/errors.ts';
import { RUN_LABEL, runOfNamespace } from '../../harness/core/run-id.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { ClusterInventory } from '../../harness/kube/api/inventory.ts';
import { clusterInventory } from '../../harness/kube/api/inventory.ts';
import { HELM_NAMESPACE, ownershipOf, referredNamespaces } from '../../harness/kube/api/ownership.ts';
import { whyTerminating } from '../../harness/kube/api/terminating.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { fullNameOf } from '../../harness/kube/manifests/objects.ts';

export interface RunObject {
  object: KubeObject;
  /** Id of the run that made it. */
  run: string;
}

/** Something of a run that could not be removed. */
export interface Remaining extends RunObject {
  why: string;
}

const volumeSchema = z.looseObject({
  spec: z.looseObject({ persistentVolumeReclaimPolicy: z.string().optional() }).nullish(),
  status: z.looseObject({ phase: z.string().optional() }).nullish(),
});

/**
 * The run that made an object; `undefined` for an object of anybody else. The marks are: our label, helm's annotation with a namespace of a
 * run, and references to namespaces of a run only (the Service of a webhook or of an aggregated API, the accounts of a binding, the claim
 * of a volume). The last ones are for objects that a program in the chart makes, without labels.
 */
export function runOf(object: KubeObject): string | undefined {
  const { labels, annotations } = object.metadata;
  const label = labels?.[RUN_LABEL];
  if (label !== undefined) return label;
  const byHelm = runOfNamespace(annotations?.[HELM_NAMESPACE] ?? '');
  if (byHelm !== undefined) return byHelm;
  const runs = new Set(referredNamespaces(object).map((namespace) => runOfNamespace(namespace ?? '')));
  return runs.size === 1 ? [...runs][0] : undefined;
}

/** All objects of runs, in the order in which they are removed. Objects in a namespace of a run go with it. */
export function objectsOfRuns({ objects }: ClusterInventory): RunObject[] {
  const owned = objects.flatMap((object) => {
    const run = runOf(object);
    return run === undefined || isLeftToItsDriver(object) ? [] : [{ object, run }];
  });
  const namespaces = new Set(
    owned.filter(({ object }) => object.kind === 'Namespace').map(({ object }) => object.metadata.name),
  );
  return owned
    .filter(({ object: { metadata } }) => !namespaces.has(metadata.namespace ?? ''))
    .sort((a, b) => rankOf(a.object) - rankOf(b.object));
}

/** Its driver removes the volume together with the storage, once the claim is gone. */
function isLeftToItsDriver(object: KubeObject): boolean {
  if (object.kind !== 'PersistentVolume') return false;
  const { data } = volumeSchema.safeParse(object);
  const isProvisioned = 'pv.kubernetes.io/provisioned-by' in (object.metadata.annotations ?? {});
  return (
    isProvisioned && data?.spec?.persistentVolumeReclaimPolicy === 'Delete' && data.status?.phase !== 'Failed'
  );
}

/** First what can block every other request: a webhook or an aggregated API whose pods are gone. */
const FIRST = [
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicyBinding',
  'APIService',
];

function rankOf({ kind, metadata }: KubeObject): number {
  if (FIRST.includes(kind)) return 0;
  if (kind === 'Namespace') return 1;
  return metadata.namespace === undefined ? 3 : 2;
}

/** Grace periods of pods, all at the same time, and what controllers need to clean up after them. */
const GONE_MS = 120_000;

export interface RemovalOptions {
  /** Waits until the objects are gone. Without it, namespaces are still terminating afterwards. */
  wait?: { clock: Clock; signal?: AbortSignal | undefined };
}

/** Deletes objects of runs. A refusal does not stop the others. Returns what is still there, with the reason. */
export async function removeObjects(
  kube: Pick<KubeClient, 'get' | 'delete'>,
  objects: readonly RunObject[],
  { wait }: RemovalOptions = {},
): Promise<Remaining[]> {
  const refused: Remaining[] = [];
  for (const owned of objects) {
    const { apiVersion, kind, metadata } = owned.object;
    if (metadata.deletionTimestamp !== undefined) continue;
    try {
      await kube.delete({ apiVersion, kind }, metadata);
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      refused.push({ ...owned, why: messageOf(error) });
    }
  }
  const deleted = objects.filter(({ object }) => !refused.some((r) => r.object === object));
  return wait ? [...refused, ...(await stillThere(kube, deleted, wait))] : refused;
}

async function stillThere(
  kube: Pick<KubeClient, 'get'>,
  deleted: readonly RunObject[],
  { clock, signal }: NonNullable<RemovalOptions['wait']>,
): Promise<Remaining[]> {
  let left: Remaining[] = deleted.map((owned) => ({ ...owned, why: 'it is being deleted' }));
  try {
    await waitFor({
      what: 'deleted objects to be gone',
      timeoutMs: GONE_MS,
      intervalMs: 500,
      clock,
      signal,
      look: async () => {
        const looked = await Promise.all(left.map((one) => lookAt(kube, one)));
        left = looked.filter((one) => one !== undefined);
        if (left.length === 0) return { done: true, value: undefined };
        return { done: false, seen: left.map(({ object }) => fullNameOf(object)).join(', ') };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
  }
  return left;
}

async function lookAt(kube: Pick<KubeClient, 'get'>, one: Remaining): Promise<Remaining | undefined> {
  const { apiVersion, kind, metadata } = one.object;
  const live = await kube.get({ apiVersion, kind }, metadata);
  // Somebody may have created another object of this name.
  if (live === undefined || live.metadata.uid !== metadata.uid) return undefined;
  return { ...one, why: whyTerminating(live) ?? 'it was deleted, but exists' };
}

/**
 * Removes everything of one run, or of all runs.
 *
 * @returns what was deleted, and what could not be
 */
export async function removeRunObjects(
  kube: KubeClient,
  options: RemovalOptions & { run?: string } = {},
): Promise<{ deleted: RunObject[]; left: Remaining[] }> {
  const objects = objectsOfRuns(await clusterInventory(kube)).filter(
    ({ object, run }) =>
      (options.run === undefined || run === options.run) &&
      (options.wait !== undefined || object.metadata.deletionTimestamp === undefined),
  );
  const left = await removeObjects(kube, objects, options);
  return { deleted: objects.filter(({ object }) => !left.some((one) => one.object === object)), left };
}

/**
 * Objects that were not there before, that the control plane did not make, and that belong to no run: a program of the chart may have
 * made them, or somebody else who uses the cluster.
 */
export function appeared(before: ClusterInventory, after: ClusterInventory): string[] {
  const known = new Set(before.objects.map(({ metadata }) => metadata.uid));
  return after.objects
    .filter(
      (object) =>
        object.metadata.namespace === undefined &&
        !known.has(object.metadata.uid) &&
        !before.unreadable.includes(object.kind) &&
        object.metadata.deletionTimestamp === undefined &&
        runOf(object) === undefined &&
        !isOfControlPlane(object),
    )
    .map((object) => `${fullNameOf(object)} (${ownershipOf(object)})`);
}

/** Labels and annotations by which the API server and its controllers recognise what they maintain themselves. */
const MAINTAINED = [
  'kubernetes.io/bootstrapping',
  'kube-aggregator.kubernetes.io/automanaged',
  'apf.kubernetes.io/autoupdate-spec',
  'pv.kubernetes.io/provisioned-by',
];

function isOfControlPlane({ metadata }: KubeObject): boolean {
  const marks = { ...metadata.labels, ...metadata.annotations };
  return (
    metadata.name.startsWith('system:') ||
    MAINTAINED.some((mark) => mark in marks) ||
    // Garbage collection removes it with its owner.
    (metadata.ownerReferences ?? []).length > 0
  );
}
