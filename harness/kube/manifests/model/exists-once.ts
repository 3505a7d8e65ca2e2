/** What keeps a second release of a subject from existing beside the first. */
import type { KubeObject, Service } from '../../api/types.ts';
import { allContainers, field, hookEvents, nameOf, podTemplateOf } from '../objects.ts';
import type { ExistsOnce } from './model.ts';

/** Cluster-scoped kinds of Kubernetes that charts render. */
const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  'APIService',
  'CSIDriver',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'DeviceClass',
  'FlowSchema',
  'IngressClass',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'Namespace',
  'PersistentVolume',
  'PriorityClass',
  'PriorityLevelConfiguration',
  'RuntimeClass',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeSnapshotClass',
]);

/**
 * The objects of which a cluster can have only one, when a second release of the same name is installed in another namespace.
 *
 * A cluster-scoped object counts unless its name has the namespace of the release in it.
 */
export function existsOnce(objects: readonly KubeObject[], release: { namespace: string }): ExistsOnce[] {
  return objects.flatMap((object) => [
    ...clusterScoped(object, release.namespace),
    ...ownNamespace(object, release.namespace),
    ...hostPorts(object),
    ...nodePorts(object),
  ]);
}

/**
 * The objects of which a cluster can have only one, of a subject that is installed in whatever namespace. Hooks do not count: helm replaces
 * them, whatever release they belong to. Neither do namespaces, which are created only when they are missing.
 *
 * @param objects rendered into `release.namespace`
 * @param elsewhere renders the subject into another namespace; charts may do something special in `default`
 */
export async function onceBeside(
  objects: readonly KubeObject[],
  release: { namespace: string },
  elsewhere: () => Promise<{ objects: readonly KubeObject[]; namespace: string }>,
): Promise<ExistsOnce[]> {
  const counted = (all: readonly KubeObject[]): KubeObject[] =>
    all.filter((object) => hookEvents(object).length === 0 && object.kind !== 'Namespace');
  if (existsOnce(counted(objects), release).length === 0) return [];
  const other = await elsewhere();
  return existsOnce(counted(other.objects), other);
}

function clusterScoped(object: KubeObject, namespace: string): ExistsOnce[] {
  if (!isClusterScoped(object)) return [];
  const { name } = object.metadata;
  if (name.includes(namespace)) return [];
  const says = 'is cluster-scoped, and its name does not contain the namespace of the release';
  return [{ object: nameOf(object), why: 'cluster-scoped', says }];
}

function ownNamespace(object: KubeObject, namespace: string): ExistsOnce[] {
  const own = object.metadata.namespace;
  if (own === undefined || own === namespace || isClusterScoped(object)) return [];
  const says = `is in namespace ${own}, whatever the namespace of the release`;
  return [{ object: nameOf(object), why: 'own-namespace', says }];
}

/** Whether it is of a cluster-scoped kind of Kubernetes; an operator may bring more of them. */
export function isClusterScoped({ kind }: KubeObject): boolean {
  return CLUSTER_SCOPED.has(kind);
}

/** A Deployment with a host port can run beside another one only while nodes are left for both, so only DaemonSets count. */
function hostPorts(object: KubeObject): ExistsOnce[] {
  const spec = podTemplateOf(object)?.spec;
  if (!spec || object.kind !== 'DaemonSet') return [];
  const ports = allContainers(spec).flatMap(({ container }) =>
    (container.ports ?? []).flatMap((port) => {
      const hostPort = spec['hostNetwork'] === true ? port.containerPort : field(port, 'hostPort');
      return typeof hostPort === 'number' && hostPort > 0 ? [hostPort] : [];
    }),
  );
  if (ports.length === 0) return [];
  const says = `occupies port ${[...new Set(ports)].join(', ')} of every node that it uses`;
  return [{ object: nameOf(object), why: 'host-port', says }];
}

function nodePorts(object: KubeObject): ExistsOnce[] {
  if (object.kind !== 'Service') return [];
  const ports = ((object as Service).spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []);
  if (ports.length === 0) return [];
  return [{ object: nameOf(object), why: 'node-port', says: `has the fixed node port ${ports.join(', ')}` }];
}
