/** What a cluster or a namespace holds, of all kinds: by it, what somebody left behind is found. */
import pLimit from 'p-limit';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import type { KubeObject } from './types.ts';

/** Kubernetes creates these two in every namespace, shortly after it. */
const STANDARD = ['ConfigMap kube-root-ca.crt', 'ServiceAccount default'];

/** Come and go by themselves in every namespace. */
const VOLATILE = ['Event', 'Lease'];

/** helm puts this label on everything that a release consists of, except hooks. */
const OF_HELM = 'app.kubernetes.io/managed-by=Helm';

/**
 * Cluster-scoped kinds whose objects the control plane and the kubelets make for their own use, or that stand for a machine. The last six
 * belong to Services, to a node's devices and drivers, to attached volumes, and to versions of the API server.
 */
const OF_CONTROL_PLANE = [
  'Node',
  'CSINode',
  'ComponentStatus',
  'CertificateSigningRequest',
  'IPAddress',
  'ServiceCIDR',
  'ResourceSlice',
  'VolumeAttachment',
  'StorageVersion',
  'StorageVersionMigration',
];

/** Kinds that say by a reference, not by a label, for which namespace they exist. They are listed in full. */
const WITH_REFERENCES = [
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'APIService',
  'ClusterRoleBinding',
  'PersistentVolume',
];

export interface ClusterInventory {
  /** Cluster-scoped objects, namespaces among them, and the namespaced objects of helm releases; mostly metadata only. */
  objects: KubeObject[];
  /** Kinds that could not be listed, for example because the user may not. */
  unreadable: string[];
}

/** All cluster-scoped objects except those of kinds that the control plane makes, and everything that helm installed. */
export async function clusterInventory(
  kube: Pick<KubeClient, 'resources' | 'list'>,
): Promise<ClusterInventory> {
  const kinds = (await kube.resources()).filter(
    ({ verbs, kind }) =>
      verbs.includes('list') &&
      verbs.includes('delete') &&
      !VOLATILE.includes(kind) &&
      !OF_CONTROL_PLANE.includes(kind),
  );
  const unreadable: string[] = [];
  const limit = pLimit(6);
  const lists = kinds.map(({ apiVersion, kind, namespaced }) =>
    limit(async () => {
      try {
        return await kube.list(
          { apiVersion, kind },
          namespaced
            ? { labelSelector: OF_HELM, metadataOnly: true }
            : { metadataOnly: !WITH_REFERENCES.includes(kind) },
        );
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        unreadable.push(kind);
        return [];
      }
    }),
  );
  return { objects: (await Promise.all(lists)).flat(), unreadable };
}

/** Every object in a namespace, metadata only, without Events, Leases and objects that Kubernetes itself creates in each. */
export async function objectsIn(
  kube: Pick<KubeClient, 'resources' | 'list'>,
  namespace: string,
): Promise<KubeObject[]> {
  const kinds = (await kube.resources()).filter(
    ({ namespaced, verbs, kind }) =>
      namespaced && verbs.includes('list') && verbs.includes('delete') && !VOLATILE.includes(kind),
  );
  const lists = await Promise.all(
    kinds.map(async ({ apiVersion, kind }) => {
      try {
        return await kube.list({ apiVersion, kind }, { namespace, metadataOnly: true });
      } catch (error) {
        // A CustomResourceDefinition that is deleted meanwhile takes its objects with it.
        if (error instanceof ApiError && error.status === 404) return [];
        throw error;
      }
    }),
  );
  return lists.flat().filter((object) => !STANDARD.includes(entryOf(object)));
}

/** `Kind name` of every object in a namespace, sorted, without those that `objectsIn` leaves out. */
export async function inventory(
  kube: Pick<KubeClient, 'resources' | 'list'>,
  namespace: string,
): Promise<string[]> {
  return [...new Set((await objectsIn(kube, namespace)).map(entryOf))].toSorted();
}

function entryOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}
