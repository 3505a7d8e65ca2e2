/** What a release leaves on the cluster after its uninstall, and what that says about its chart. Pure. */
import { creatorOf, HELM_NAMESPACE, HELM_RELEASE, referredNamespaces } from '../../../kube/api/ownership.ts';
import { whyTerminating } from '../../../kube/api/terminating.ts';
import type { KubeObject } from '../../../kube/api/types.ts';
import { field, fullNameOf, hookEvents, nameOf, ofKind } from '../../../kube/manifests/objects.ts';

/** A release, and what the cluster held at three places and times; mostly metadata only. */
export interface Uninstalled {
  release: { name: string; namespace: string };
  /** Namespaces in which nobody else works: that of the release, and those that its objects name. */
  own: readonly string[];
  /** What was rendered, hooks included. */
  rendered: readonly KubeObject[];
  /** Names of CustomResourceDefinitions in the folder `crds` of the chart. */
  definitions: readonly string[];
  /** Before the install and now: the objects of its own namespaces, cluster-scoped ones, and those of helm releases elsewhere. */
  before: readonly KubeObject[];
  now: readonly KubeObject[];
  /** Objects of a namespace that was created at the same time and stayed empty: the cluster puts them into every one. */
  control: readonly KubeObject[];
}

interface Leftover {
  object: KubeObject;
  /** `ConfigMap shop/web stays: why`. */
  says: string;
}

export interface LeftBehind {
  /** Being deleted, or about to be, because the owner is gone. Nothing is known before they are gone. */
  leaving: KubeObject[];
  /** What an uninstall has to remove. */
  broken: Leftover[];
  /** What the chart could remove, and helm does not by itself. */
  advisable: Leftover[];
  /** What stays on purpose, or by the design of Kubernetes or helm. */
  meant: Leftover[];
}

/** Kinds by which an object without its program goes on acting: requests are refused, pods run. */
const INTERCEPTING = [
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicyBinding',
  'APIService',
];
const RUNNING = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'CronJob'];

/** Field managers of the control plane: what they make, they remove. */
const CONTROL_PLANE =
  /^(kube-controller-manager|kube-apiserver|kube-scheduler|kubelet|cloud-controller-manager)$/;

export function leftBehind(uninstalled: Uninstalled): LeftBehind {
  const { now } = uninstalled;
  const left: LeftBehind = { leaving: [], broken: [], advisable: [], meant: [] };
  const uids = new Set(now.map(({ metadata }) => metadata.uid));
  for (const object of now.filter((one) => belongs(one, uninstalled))) {
    const { deletionTimestamp, ownerReferences = [] } = object.metadata;
    if (deletionTimestamp !== undefined) left.leaving.push(object);
    else if (ownerReferences.length > 0) {
      // An object follows its owners; an owner that stays is the one to name.
      if (!ownerReferences.some(({ uid }) => uids.has(uid))) left.leaving.push(object);
    } else {
      const found = judge(object, uninstalled);
      if (found) left[found.as].push({ object, says: `${fullNameOf(object)} stays: ${found.why}` });
    }
  }
  return left;
}

/** Completes "the uninstall waits for …": `ConfigMap shop/web: it waits for its finalizers example.com/cleanup`. */
export function whyLeaving(object: KubeObject): string {
  return `${fullNameOf(object)}: ${whyTerminating(object) ?? 'its owner is gone'}`;
}

/** Finalizers that no controller of Kubernetes removes. */
export function foreignFinalizers({ metadata }: KubeObject): string[] {
  const own = /^(kubernetes|orphan|foregroundDeletion|([\w.-]+\.)?(kubernetes|k8s)\.io\/.*)$/;
  return (metadata.finalizers ?? []).filter((name) => !own.test(name));
}

/** By where an object is and what it says about itself; what others create meanwhile is not the release's. */
function belongs(
  object: KubeObject,
  { release, own, rendered, before, control, definitions }: Uninstalled,
): boolean {
  const { uid, name, namespace, annotations } = object.metadata;
  if (object.kind === 'CustomResourceDefinition' && definitions.includes(name)) return true;
  if (before.some(({ metadata }) => metadata.uid === uid)) return false;
  if (rendered.some((one) => isSame(one, object, release))) return true;
  if (annotations?.[HELM_RELEASE] === release.name && annotations[HELM_NAMESPACE] === release.namespace)
    return true;
  if (namespace !== undefined)
    return own.includes(namespace) && !control.some((one) => nameOf(one) === nameOf(object));
  // Namespaces that objects name are created before the install, and deleted by the check.
  if (object.kind === 'Namespace') return false;
  const referred = referredNamespaces(object);
  const isForOwn = referred.length > 0 && referred.every((one) => one !== undefined && own.includes(one));
  return isForOwn || named(name, release.namespace);
}

function isSame(rendered: KubeObject, live: KubeObject, release: { namespace: string }): boolean {
  const group = (one: KubeObject): string =>
    one.apiVersion.includes('/') ? (one.apiVersion.split('/')[0] ?? '') : '';
  return (
    nameOf(rendered) === nameOf(live) &&
    group(rendered) === group(live) &&
    (live.metadata.namespace === undefined ||
      live.metadata.namespace === (rendered.metadata.namespace ?? release.namespace))
  );
}

/** Whether the name has that of the namespace in it. Namespaces of a run are numbered: `kp-1` is not in `kp-12`, nor `kp` in `kp-1`. */
function named(name: string, namespace: string): boolean {
  const at = name.indexOf(namespace);
  return at >= 0 && !/^-?\d/.test(name.slice(at + namespace.length));
}

type Verdict = { as: 'broken' | 'advisable' | 'meant'; why: string } | undefined;

function judge(object: KubeObject, { release, own, rendered, definitions }: Uninstalled): Verdict {
  const { name, namespace, annotations = {} } = object.metadata;
  if ((annotations['helm.sh/resource-policy'] ?? '').includes('keep'))
    return { as: 'meant', why: 'its annotation helm.sh/resource-policy asks for it' };
  if (object.kind === 'CustomResourceDefinition' && definitions.includes(name))
    return { as: 'meant', why: 'helm does not remove what is in the folder crds' };
  const events = hookEvents(object);
  if (events.length > 0) {
    // Under one name elsewhere, the hook of another release may be running just now.
    const isShared = namespace === undefined || !own.includes(namespace);
    const isDeleted = (annotations['helm.sh/hook-delete-policy'] ?? '').includes('hook-succeeded');
    if (isShared && isDeleted) return undefined;
    const why = `it is a hook (${events.join(', ')}), which helm does not remove with the release; the delete policy hook-succeeded does`;
    return { as: 'advisable', why };
  }
  if (object.kind === 'PersistentVolumeClaim') {
    const owner = ofKind(rendered, 'StatefulSet').find((one) => isClaimOf(object, one, release));
    const policy = field(field(owner?.['spec'], 'persistentVolumeClaimRetentionPolicy'), 'whenDeleted');
    if (owner && policy !== 'Delete')
      return {
        as: 'meant',
        why: `Kubernetes keeps the claims of ${nameOf(owner)}, whose policy is to retain them`,
      };
    if (owner)
      return { as: 'broken', why: `${nameOf(owner)} says persistentVolumeClaimRetentionPolicy Delete` };
  }
  // A volume follows its claim, as its driver decides.
  if (object.kind === 'PersistentVolume' && 'pv.kubernetes.io/provisioned-by' in annotations)
    return undefined;
  const creator = creatorOf(object) ?? 'an unknown program';
  const isRendered = rendered.some((one) => isSame(one, object, release));
  if (isRendered || annotations[HELM_RELEASE] !== undefined)
    return {
      as: 'broken',
      why: `it is rendered, and was there again or still after the uninstall; ${creator} made it`,
    };
  if (CONTROL_PLANE.test(creator) || 'kubernetes.io/service-account.name' in annotations) return undefined;
  const made = `${creator} made it while the release ran`;
  if (INTERCEPTING.includes(object.kind))
    return { as: 'broken', why: `${made}, and the API server goes on asking a program that is gone` };
  if (RUNNING.includes(object.kind)) return { as: 'broken', why: `${made}, and its pods go on running` };
  return { as: 'advisable', why: `${made}; an owner reference or a hook after the deletion would remove it` };
}

/** Names of claims: template, StatefulSet, ordinal. */
function isClaimOf(
  { metadata }: KubeObject,
  statefulSet: KubeObject,
  release: { namespace: string },
): boolean {
  const templates = field(statefulSet['spec'], 'volumeClaimTemplates');
  if (
    (statefulSet.metadata.namespace ?? release.namespace) !== metadata.namespace ||
    !Array.isArray(templates)
  )
    return false;
  return templates.some((template: unknown) => {
    const prefix = `${String(field(field(template, 'metadata'), 'name'))}-${statefulSet.metadata.name}-`;
    return metadata.name.startsWith(prefix) && /^\d+$/.test(metadata.name.slice(prefix.length));
  });
}
