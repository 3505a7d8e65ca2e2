/**
 * Permissions of a ServiceAccount, and of the own user, as the API server evaluates them: with aggregated roles, groups and other
 * authorizers.
 */
import { z } from 'zod';
import type { KubeClient } from './client.ts';

/** An API request: of an account in its namespace, of the own user in any. Defaults: the core group, no subresource. */
export interface AccessRequest {
  group?: string;
  resource: string;
  subresource?: string;
  verb: string;
  /** The object that the request names; without it, the right has to hold for all objects. */
  name?: string;
}

const review = z.looseObject({ status: z.looseObject({ allowed: z.boolean() }) });

/** Whether a ServiceAccount may make the request, by SubjectAccessReview (authorization.k8s.io/v1). */
export async function isAllowed(
  kube: Pick<KubeClient, 'create'>,
  account: { namespace: string; name: string },
  { group = '', resource, subresource = '', verb, name: object = '' }: AccessRequest,
): Promise<boolean> {
  const { namespace, name } = account;
  const answer = await kube.create({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: { name: '' },
    spec: {
      user: `system:serviceaccount:${namespace}:${name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      resourceAttributes: { namespace, group, resource, subresource, verb, name: object },
    },
  });
  return review.parse(answer).status.allowed;
}

/** Whether the user of the client may make the request in every namespace, by SelfSubjectAccessReview (authorization.k8s.io/v1). */
export async function mayI(
  kube: Pick<KubeClient, 'create'>,
  { group = '', resource, subresource = '', verb, name = '' }: AccessRequest,
): Promise<boolean> {
  const answer = await kube.create({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: { name: '' },
    spec: { resourceAttributes: { group, resource, subresource, verb, name } },
  });
  return review.parse(answer).status.allowed;
}
