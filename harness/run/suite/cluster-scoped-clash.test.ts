import { expect, it } from 'vitest';
import { DoesNotFit } from '../../core/errors.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import { refuseClash } from './cluster-scoped-clash.ts';

const object = (kind: string, name: string, annotations = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, annotations },
});
const rights = [object('ClusterRole', 'app'), object('ClusterRoleBinding', 'app'), object('Role', 'app')];
const refusal = (objects: KubeObject[], shared: KubeObject[]): unknown => {
  try {
    refuseClash(objects, { namespace: 'kp-2', shared });
    return undefined;
  } catch (error) {
    return error;
  }
};

it('a second release does not fit when both have the same cluster-scoped objects', () => {
  const error = refusal(rights, rights);
  expect(error).toBeInstanceOf(DoesNotFit);
  expect(String(error)).toContain(
    'the chart can be installed only once on a cluster: ClusterRole app and ClusterRoleBinding app are cluster-scoped, and their names do not contain the namespace of the release',
  );
});

it.each<[string, KubeObject[], KubeObject[]]>([
  ['names contain the namespace', [object('ClusterRole', 'kp-2-app')], [object('ClusterRole', 'kp-1-app')]],
  ['names contain the name of the release', [object('ClusterRole', 'two')], [object('ClusterRole', 'one')]],
  ['objects lie in namespaces', [object('Role', 'app')], [object('Role', 'app')]],
  ['objects are hooks', ...both(object('ClusterRole', 'app', { 'helm.sh/hook': 'pre-install' }))],
  ['objects are namespaces', ...both(object('Namespace', 'app'))],
])('a second release fits when %s', (_, objects, shared) => {
  expect(refusal(objects, shared)).toBeUndefined();
});

function both(one: KubeObject): [KubeObject[], KubeObject[]] {
  return [[one], [one]];
}
