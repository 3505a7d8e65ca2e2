/** Whether a release can be installed beside the release that all checks share. */
import { DoesNotFit } from '../../core/errors.ts';
import { listed } from '../../core/wording.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import { existsOnce } from '../../kube/manifests/model/exists-once.ts';
import { hookEvents, nameOf } from '../../kube/manifests/objects.ts';

/**
 * A cluster-scoped object of both releases belongs to the first one. That is no failure of a chart that is installed once: the check that
 * wants a second release does not fit.
 *
 * @param objects what the second release renders
 * @param shared what the shared release renders, in another namespace
 * @throws DoesNotFit
 */
export function refuseClash(
  objects: readonly KubeObject[],
  { namespace, shared }: { namespace: string; shared: readonly KubeObject[] },
): void {
  // Helm replaces hooks, whatever release they belong to; a namespace is created only when it is missing.
  const own = objects.filter((object) => hookEvents(object).length === 0 && object.kind !== 'Namespace');
  const taken = new Set(shared.map(nameOf));
  const clashing = existsOnce(own, { namespace })
    .filter(({ why, object }) => why === 'cluster-scoped' && taken.has(object))
    .map(({ object }) => object);
  if (clashing.length === 0) return;
  const are =
    clashing.length === 1 ? 'is cluster-scoped, and its name does' : 'are cluster-scoped, and their names do';
  throw new DoesNotFit(
    `the chart can be installed only once on a cluster: ${listed(clashing)} ${are} not contain the namespace of the release`,
    {
      hint: 'Put .Release.Namespace into the name, or use a kind that lies in a namespace: Role and RoleBinding instead of ClusterRole and ClusterRoleBinding.',
    },
  );
}
