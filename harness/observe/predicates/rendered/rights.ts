/** Rights that workloads get by rendered roles, and that few of them need. */
import type { KubeObject } from '../../../kube/api/types.ts';
import { field, find } from '../../../kube/manifests/objects.ts';
import type { GrantedRole, ModelWorkload } from '../../../kube/manifests/model/model.ts';
import { grantText } from '../../../kube/manifests/model/roles.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';
import { selectedNothing } from '../select.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames: string[];
}

/** Rights with which an account gets every other one (Kubernetes documentation, "Role Based Access Control Good Practices"). */
const POWERFUL: readonly { verb: string; resource: string }[] = [
  { verb: 'escalate', resource: '' },
  { verb: 'bind', resource: '' },
  { verb: 'impersonate', resource: '' },
  { verb: 'create', resource: 'pods/exec' },
  { verb: 'create', resource: 'serviceaccounts/token' },
];

/**
 * No workload has more rights than it is likely to use: wildcards, secrets of all namespaces, rights that lead to others, cluster-admin.
 * And no pod mounts a token of an account without any right.
 *
 * @param workloads with the roles that rendered bindings give to their ServiceAccounts
 * @param objects all rendered objects
 */
export function rightsAreFew(
  workloads: readonly ModelWorkload[],
  objects: readonly KubeObject[],
): PredicateResult {
  const expected = 'no right beyond what a workload is likely to use, and no token without a right';
  if (workloads.length === 0) return selectedNothing(expected, 'no object runs pods');
  const complaints = workloads.flatMap((workload) => [
    ...workload.roles.flatMap((granted) =>
      excessesOf(granted).map((what) => `${workload.title} may ${what} (${grantText(granted)})`),
    ),
    ...idleToken(workload, objects),
  ]);
  return {
    ...nothingWrong(expected, complaints),
    observed: workloads.map(({ title, account, roles }) => {
      const names = roles.map(({ roleName }) => roleName).join(', ');
      return `${title}: ServiceAccount ${account} with ${names || 'no rendered role'}`;
    }),
  };
}

function excessesOf({ roleName, role, everywhere }: GrantedRole): string[] {
  if (roleName === 'ClusterRole cluster-admin') return ['do everything, as cluster-admin'];
  const rules = field(role, 'rules');
  return (Array.isArray(rules) ? rules : []).map(ruleOf).flatMap((rule) => excessesOfRule(rule, everywhere));
}

function ruleOf(rule: unknown): Rule {
  const list = (key: string): string[] => {
    const value = field(rule, key);
    return Array.isArray(value) ? value.map(String) : [];
  };
  return {
    apiGroups: list('apiGroups'),
    resources: list('resources'),
    verbs: list('verbs'),
    resourceNames: list('resourceNames'),
  };
}

function excessesOfRule({ apiGroups, resources, verbs, resourceNames }: Rule, everywhere: boolean): string[] {
  const where = everywhere ? ' of all namespaces' : '';
  if (resources.length === 0) return [];
  const wildcards = [
    ...(verbs.includes('*') ? [`use every verb on ${resources.join(', ')}${where}`] : []),
    ...(resources.includes('*')
      ? [`${verbs.join(', ')} every resource of ${groupText(apiGroups)}${where}`]
      : []),
  ];
  const secrets =
    everywhere && resourceNames.length === 0 && resources.includes('secrets')
      ? verbs.filter((verb) => ['get', 'list', 'watch', '*'].includes(verb))
      : [];
  const powerful = POWERFUL.filter(
    ({ verb, resource }) => verbs.includes(verb) && (resource === '' || resources.includes(resource)),
  ).map(({ verb, resource }) => `${verb} ${resource === '' ? resources.join(', ') : resource}${where}`);
  return [
    ...wildcards,
    ...(secrets.length > 0 ? [`${secrets.join(', ')} the secrets of all namespaces`] : []),
    ...powerful,
  ];
}

function groupText(apiGroups: readonly string[]): string {
  return apiGroups.map((group) => (group === '' ? 'the core group' : group)).join(', ');
}

/** An account of another chart may have roles that are not rendered here, so only rendered and default accounts count. */
function idleToken(
  { title, account, roles, template }: ModelWorkload,
  objects: readonly KubeObject[],
): string[] {
  if (roles.length > 0) return [];
  const rendered = find(objects, 'ServiceAccount', account);
  if (!rendered && account !== 'default') return [];
  const mounts = template.spec['automountServiceAccountToken'] ?? rendered?.['automountServiceAccountToken'];
  if (mounts === false) return [];
  return [
    `${title} mounts the token of ServiceAccount ${account}, which has no rendered role: set automountServiceAccountToken to false`,
  ];
}
