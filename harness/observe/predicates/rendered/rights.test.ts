import { expect, it } from 'vitest';
import { modelOf } from '../../../kube/manifests/model/subject-model.ts';
import type { KubeObject } from '../../../kube/api/types.ts';
import { object, sampleDeployment } from '../../../testing/sample-objects.ts';
import type { PredicateResult } from '../result.ts';
import { rightsAreFew } from './rights.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';

function judged(...objects: KubeObject[]): PredicateResult {
  return rightsAreFew(modelOf(objects, { namespace: 'kp-x' }).workloads, objects);
}

/** A workload whose account has these rules in its namespace, or everywhere. */
function granted(rule: Record<string, string[]>, kind: 'Role' | 'ClusterRole' = 'Role'): KubeObject[] {
  const binding = kind === 'Role' ? 'RoleBinding' : 'ClusterRoleBinding';
  const subjects = [{ kind: 'ServiceAccount', name: 'web' }];
  return [
    sampleDeployment({ serviceAccountName: 'web' }),
    object(RBAC, kind, 'reader', { rules: [{ apiGroups: [''], ...rule }] }),
    object(RBAC, binding, 'web', { roleRef: { kind, name: 'reader' }, subjects }),
  ];
}

it.each([
  ['a verb on a resource', granted({ resources: ['configmaps'], verbs: ['get'] })],
  ['secrets of its namespace', granted({ resources: ['secrets'], verbs: ['get'] })],
  ['one secret', granted({ resources: ['secrets'], resourceNames: ['a'], verbs: ['get'] }, 'ClusterRole')],
  ['a path of the API server', granted({ nonResourceURLs: ['/metrics'], verbs: ['get'] }, 'ClusterRole')],
])('accepts %s', (_, objects) => {
  expect(judged(...objects)).toMatchObject({ ok: true });
});

it.each([
  [granted({ resources: ['pods'], verbs: ['*'] }), 'use every verb on pods'],
  [granted({ resources: ['*'], verbs: ['get'] }), 'get every resource of the core group'],
  [
    granted({ resources: ['secrets'], verbs: ['get', 'list'] }, 'ClusterRole'),
    'get, list the secrets of all namespaces',
  ],
  [granted({ resources: ['pods/exec'], verbs: ['create'] }), 'create pods/exec'],
  [granted({ resources: ['roles'], verbs: ['escalate'] }), 'escalate roles'],
])('names what a workload may do: %#', (objects, what) => {
  const { ok, actual } = judged(...objects);
  expect(ok).toBe(false);
  expect(actual).toContain(`Deployment web may ${what} (`);
});

it('names cluster-admin', () => {
  const subjects = [{ kind: 'ServiceAccount', name: 'default' }];
  const binding = object(RBAC, 'ClusterRoleBinding', 'all', {
    roleRef: { kind: 'ClusterRole', name: 'cluster-admin' },
    subjects,
  });
  expect(judged(sampleDeployment(), binding).actual).toBe(
    'Deployment web may do everything, as cluster-admin (ClusterRole cluster-admin by ClusterRoleBinding all)',
  );
});

it.each([
  ['of the default account', sampleDeployment(), [], false],
  ['that is not mounted', sampleDeployment({ automountServiceAccountToken: false }), [], true],
  [
    'of a rendered account',
    sampleDeployment({ serviceAccountName: 'web' }),
    [object('v1', 'ServiceAccount', 'web')],
    false,
  ],
  [
    'that the account does not mount',
    sampleDeployment({ serviceAccountName: 'web' }),
    [object('v1', 'ServiceAccount', 'web', { automountServiceAccountToken: false })],
    true,
  ],
  ['of an account that somebody else made', sampleDeployment({ serviceAccountName: 'web' }), [], true],
])('judges a token without a right %s', (_, workload, others, ok) => {
  expect(judged(workload, ...others).ok).toBe(ok);
});
