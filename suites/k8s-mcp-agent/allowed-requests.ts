/** Which requests that the agent does not need are allowed to a ServiceAccount. */
import pLimit from 'p-limit';
import { isAllowed, type AccessRequest } from '../../harness/kube/api/access-review.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';

/** Verbs that change an object. */
const WRITING = ['create', 'update', 'patch', 'delete'];

/** Requests that an agent for GPU diagnostics does not need, by resource. */
const REQUESTS: readonly (Omit<AccessRequest, 'verb'> & { verbs: readonly string[] })[] = [
  { resource: 'pods', verbs: WRITING },
  { resource: 'pods', subresource: 'exec', verbs: ['create', 'get'] },
  { resource: 'pods', subresource: 'attach', verbs: ['create'] },
  { resource: 'secrets', verbs: ['get', 'list', 'watch', ...WRITING] },
  { resource: 'configmaps', verbs: WRITING },
  { resource: 'services', verbs: WRITING },
  { resource: 'serviceaccounts', verbs: WRITING },
  { resource: 'serviceaccounts', subresource: 'token', verbs: ['create'] },
  { resource: 'nodes', verbs: WRITING },
  { resource: 'nodes', subresource: 'proxy', verbs: ['create', 'get'] },
  { group: 'apps', resource: 'daemonsets', verbs: WRITING },
  { group: 'apps', resource: 'deployments', verbs: WRITING },
  { group: 'rbac.authorization.k8s.io', resource: 'rolebindings', verbs: WRITING },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterrolebindings', verbs: WRITING },
  { group: 'node.k8s.io', resource: 'runtimeclasses', verbs: WRITING },
];

/**
 * Reviews each of these requests in the account's namespace.
 *
 * @returns the number of reviewed requests, and the allowed ones, such as `create pods/exec`
 */
export async function allowedRequests(
  kube: KubeClient,
  account: { namespace: string; name: string },
): Promise<{ reviewed: number; allowed: string[] }> {
  const requests = REQUESTS.flatMap(({ verbs, ...what }) => verbs.map((verb) => ({ ...what, verb })));
  const limit = pLimit(8);
  const answers = await Promise.all(
    requests.map((request) =>
      limit(async () => {
        const { resource, subresource, verb } = request;
        const path = subresource === undefined ? resource : `${resource}/${subresource}`;
        return (await isAllowed(kube, account, request)) ? [`${verb} ${path}`] : [];
      }),
    ),
  );
  return { reviewed: requests.length, allowed: answers.flat() };
}
