/** Resource paths of built-in kinds, which need no discovery. */
import type { KindRef, KnownKind } from './client.ts';

export interface Resource {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

const known: Record<KnownKind, { apiVersion: string; plural: string; namespaced?: false }> = {
  Pod: { apiVersion: 'v1', plural: 'pods' },
  Service: { apiVersion: 'v1', plural: 'services' },
  ConfigMap: { apiVersion: 'v1', plural: 'configmaps' },
  Secret: { apiVersion: 'v1', plural: 'secrets' },
  ServiceAccount: { apiVersion: 'v1', plural: 'serviceaccounts' },
  Event: { apiVersion: 'v1', plural: 'events' },
  PersistentVolumeClaim: { apiVersion: 'v1', plural: 'persistentvolumeclaims' },
  PersistentVolume: { apiVersion: 'v1', plural: 'persistentvolumes', namespaced: false },
  Namespace: { apiVersion: 'v1', plural: 'namespaces', namespaced: false },
  Node: { apiVersion: 'v1', plural: 'nodes', namespaced: false },
  Deployment: { apiVersion: 'apps/v1', plural: 'deployments' },
  StatefulSet: { apiVersion: 'apps/v1', plural: 'statefulsets' },
  DaemonSet: { apiVersion: 'apps/v1', plural: 'daemonsets' },
  ReplicaSet: { apiVersion: 'apps/v1', plural: 'replicasets' },
  Job: { apiVersion: 'batch/v1', plural: 'jobs' },
  EndpointSlice: { apiVersion: 'discovery.k8s.io/v1', plural: 'endpointslices' },
  StorageClass: { apiVersion: 'storage.k8s.io/v1', plural: 'storageclasses', namespaced: false },
  RuntimeClass: { apiVersion: 'node.k8s.io/v1', plural: 'runtimeclasses', namespaced: false },
  PriorityClass: { apiVersion: 'scheduling.k8s.io/v1', plural: 'priorityclasses', namespaced: false },
};

/** The resource of a built-in kind; `undefined` for a kind that needs discovery. */
export function knownResource(kind: KindRef): Resource | undefined {
  const name = typeof kind === 'string' ? kind : kind.kind;
  if (!Object.hasOwn(known, name)) return undefined;
  const entry = known[name as KnownKind];
  if (typeof kind !== 'string' && kind.apiVersion !== entry.apiVersion) return undefined;
  return {
    apiVersion: entry.apiVersion,
    kind: name,
    plural: entry.plural,
    namespaced: entry.namespaced ?? true,
  };
}

/** `/api/v1` for the core group, `/apis/GROUP/VERSION` for the others. */
export function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** Path of a collection or, with `name`, of an object. */
export function resourcePath(
  resource: Resource,
  at: { namespace?: string | undefined; name?: string },
): string {
  const scope =
    resource.namespaced && at.namespace !== undefined
      ? `/namespaces/${encodeURIComponent(at.namespace)}`
      : '';
  const object = at.name === undefined ? '' : `/${encodeURIComponent(at.name)}`;
  return `${groupPath(resource.apiVersion)}${scope}/${resource.plural}${object}`;
}
