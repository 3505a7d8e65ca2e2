/** Names of objects that derive from the name of a release. */
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { nameOf } from '../../harness/kube/manifests/objects.ts';

/** Their names become names of pods and of hosts. */
const LABELS: ReadonlySet<string> = new Set([
  'Service',
  'Pod',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
]);
/** Their names may have other characters, or do not derive from that of a release. */
const FREE: ReadonlySet<string> = new Set([
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'APIService',
]);

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';

/** What is wrong with the name of an object: Kubernetes wants a DNS name, for some kinds a single label (RFC 1123). */
export function wrongName(object: KubeObject): string[] {
  const { kind, metadata } = object;
  const { name } = metadata;
  if (FREE.has(kind)) return [];
  if (name.length > 63) return [`${nameOf(object)} has ${name.length} characters`];
  const isLabel = LABELS.has(kind);
  const form = isLabel ? new RegExp(`^${LABEL}$`) : new RegExp(`^${LABEL}(\\.${LABEL})*$`);
  return form.test(name) ? [] : [`${nameOf(object)} is no DNS ${isLabel ? 'label' : 'name'}`];
}
