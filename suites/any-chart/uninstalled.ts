/** What a release has left on the cluster, once everything that was asked to be deleted has really gone. */
import { type Clock, waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError, messageOf } from '../../harness/core/errors.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { clusterInventory, objectsIn } from '../../harness/kube/api/inventory.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { fullNameOf } from '../../harness/kube/manifests/objects.ts';
import {
  foreignFinalizers,
  leftBehind,
  type LeftBehind,
  type Uninstalled,
  whyLeaving,
} from '../../harness/observe/predicates/live/left-behind.ts';

/** For controllers to clean up after the last pod. */
const CLEANED_MS = 90_000;

/** What a cluster holds, as far as a release could have made it. */
export interface Holding {
  objects: KubeObject[];
  /** Kinds that could not be listed. */
  unreadable: string[];
}

/** Cluster-scoped objects, those of helm releases, and all objects of these namespaces. */
export async function holdingOf(kube: KubeClient, namespaces: readonly string[]): Promise<Holding> {
  const { objects, unreadable } = await clusterInventory(kube);
  const near = (await Promise.all(namespaces.map((namespace) => objectsIn(kube, namespace)))).flat();
  const all = new Map([...objects, ...near].map((object) => [object.metadata.uid, object]));
  return { objects: [...all.values()], unreadable };
}

/**
 * Waits until nothing of the release is being deleted any more. What waits for a finalizer that nobody can remove, because the pods of the
 * release have ended, is broken.
 *
 * @param options.graceSeconds the longest grace period of its pods
 * @param options.isAlone whether all controllers of the cluster are Kubernetes' own and the release's
 * @throws InfrastructureError `E_NOT_GONE` when Kubernetes itself, or a controller of somebody else, does not delete something in time
 */
export async function uninstalled(
  kube: KubeClient,
  release: Omit<Uninstalled, 'now' | 'control'> & { controlNamespace: string },
  { graceSeconds, isAlone, clock }: { graceSeconds: number; isAlone: boolean; clock?: Clock },
): Promise<LeftBehind> {
  let stuckBefore = '';
  let last: LeftBehind | undefined;
  const look = async (): Promise<LeftBehind> => {
    const { objects: now } = await holdingOf(kube, release.own);
    const control = await objectsIn(kube, release.controlNamespace);
    return leftBehind({ ...release, now, control });
  };
  try {
    return await waitFor<LeftBehind>({
      what: `everything of release ${release.release.name} to be deleted`,
      timeoutMs: graceSeconds * 1000 + CLEANED_MS,
      // A look lists every kind of the cluster.
      intervalMs: 2000,
      ...(clock && { clock }),
      look: async () => {
        try {
          last = await look();
        } catch (error) {
          // A kind may go with its definition or its server.
          if (!(error instanceof ApiError)) throw error;
          return { done: false, seen: messageOf(error) };
        }
        const { leaving } = last;
        if (leaving.length === 0) return { done: true, value: last };
        const stuck = isAlone ? stuckIn(last, await podsIn(kube, release)) : '';
        // Twice, because the lists of a look are not of one moment.
        if (stuck !== '' && stuck === stuckBefore) return { done: true, value: withStuck(last) };
        stuckBefore = stuck;
        return { done: false, seen: leaving.map(whyLeaving).join('; ') };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    if (last && isAlone && last.leaving.some((object) => foreignFinalizers(object).length > 0))
      return withStuck(last);
    throw new InfrastructureError('E_NOT_GONE', error.message, {
      cause: error,
      hint: 'Look at the controllers of the cluster that have to remove these objects.',
    });
  }
}

/** Pods that were there before the release remove nothing of it. */
async function podsIn(
  kube: KubeClient,
  { own, before }: Pick<Uninstalled, 'own' | 'before'>,
): Promise<KubeObject[]> {
  const pods = (await Promise.all(own.map((namespace) => kube.list('Pod', { namespace })))).flat();
  return pods.filter((pod) => !before.some(({ metadata }) => metadata.uid === pod.metadata.uid));
}

/** What nothing can remove any more; empty as long as a pod runs, or something else is being deleted. */
function stuckIn({ leaving }: LeftBehind, pods: readonly KubeObject[]): string {
  if (pods.length > 0) return '';
  const waiting = leaving.filter((object) => foreignFinalizers(object).length > 0);
  // Both wait for the objects in them.
  const others = leaving.filter(
    (object) => !waiting.includes(object) && !['Namespace', 'CustomResourceDefinition'].includes(object.kind),
  );
  return others.length > 0 ? '' : waiting.map(fullNameOf).sort().join(', ');
}

function withStuck(left: LeftBehind): LeftBehind {
  const stuck = left.leaving
    .filter((object) => foreignFinalizers(object).length > 0)
    .map((object) => ({
      object,
      says: `${fullNameOf(object)} is never deleted: it waits for ${foreignFinalizers(object).join(', ')}, and no pod of the release is left to remove it`,
    }));
  return { ...left, broken: [...stuck, ...left.broken] };
}

/**
 * Registers the removal of what would disturb others: what keeps a namespace from being deleted, and what is outside of the namespaces of
 * the release.
 */
export function removeAtEnd(lab: Lab, own: readonly string[], { broken, advisable }: LeftBehind): void {
  const { teardown } = lab.kube;
  for (const { object } of [...broken, ...advisable]) {
    const { apiVersion, kind, metadata } = object;
    const foreign = foreignFinalizers(object);
    const finalizers = (metadata.finalizers ?? []).filter((name) => !foreign.includes(name));
    lab.defer(`remove ${fullNameOf(object)}`, async () => {
      if (foreign.length > 0 && (await teardown.get({ apiVersion, kind }, metadata)))
        await teardown.patch({ apiVersion, kind }, metadata, { metadata: { finalizers } });
      if (!own.includes(metadata.namespace ?? '')) await teardown.delete({ apiVersion, kind }, metadata);
    });
  }
}
