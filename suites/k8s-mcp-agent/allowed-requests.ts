/** What a ServiceAccount may do, asked of the API server itself: it knows aggregated roles, groups and other authorizers. */
import pLimit from 'p-limit';
import { z } from 'zod';
import type { KubeClient } from '../../harness/kube/client.ts';

/** Everything that changes something. */
const WRITING = ['create', 'update', 'patch', 'delete'];

/** What an agent that diagnoses GPUs has no business with, by resource. */
const REQUESTS: readonly {
  group?: string;
  resource: string;
  subresource?: string;
  verbs: readonly string[];
}[] = [
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

const review = z.looseObject({ status: z.looseObject({ allowed: z.boolean() }) });

/**
 * Asks about each of them in the account's namespace, by SubjectAccessReview.
 *
 * @returns how many were asked about, and those that are allowed as `create pods/exec`
 */
export async function allowedRequests(
  kube: KubeClient,
  account: { namespace: string; name: string },
): Promise<{ asked: number; allowed: string[] }> {
  const { namespace, name } = account;
  const asked = REQUESTS.flatMap(({ verbs, ...what }) => verbs.map((verb) => ({ ...what, verb })));
  const limit = pLimit(8);
  const answers = await Promise.all(
    asked.map(({ group = '', resource, subresource = '', verb }) =>
      limit(async () => {
        const answer = await kube.create({
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          metadata: { name: '' },
          spec: {
            user: `system:serviceaccount:${namespace}:${name}`,
            groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
            resourceAttributes: { namespace, group, resource, subresource, verb },
          },
        });
        const path = subresource === '' ? resource : `${resource}/${subresource}`;
        return review.parse(answer).status.allowed ? [`${verb} ${path}`] : [];
      }),
    ),
  );
  return { asked: asked.length, allowed: answers.flat() };
}
