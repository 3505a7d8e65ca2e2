/** The roles that the ServiceAccount of a workload has by rendered bindings. */
import type { KubeObject } from '../../api/types.ts';
import { field, find, nameOf, ofKind } from '../objects.ts';
import type { GrantedRole } from './model.ts';

/**
 * @param near the rendered objects of the workload's namespace
 * @param all rendered objects
 */
export function rolesOf(
  account: string,
  near: readonly KubeObject[],
  all: readonly KubeObject[],
): GrantedRole[] {
  const bindings = [...ofKind(near, 'RoleBinding'), ...ofKind(all, 'ClusterRoleBinding')];
  return bindings
    .filter((binding) => subjectsOf(binding).some((subject) => isAccount(subject, account)))
    .map((binding) => {
      const kind = String(field(binding['roleRef'], 'kind'));
      const name = String(field(binding['roleRef'], 'name'));
      return {
        binding,
        roleName: `${kind} ${name}`,
        role: find(kind === 'Role' ? near : all, kind, name),
        everywhere: binding.kind === 'ClusterRoleBinding',
      };
    });
}

/** A sentence part for messages: `ClusterRole reader by ClusterRoleBinding web`. */
export function grantText({ roleName, binding }: GrantedRole): string {
  return `${roleName} by ${nameOf(binding)}`;
}

function subjectsOf(binding: KubeObject): unknown[] {
  const { subjects } = binding;
  return Array.isArray(subjects) ? subjects : [];
}

/** The namespace of a subject is not compared: charts write that of the release, which is rendered with another name here. */
function isAccount(subject: unknown, account: string): boolean {
  return field(subject, 'kind') === 'ServiceAccount' && field(subject, 'name') === account;
}
