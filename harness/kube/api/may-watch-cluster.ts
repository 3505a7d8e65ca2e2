/** Whether a kind may be watched in the whole cluster instead of in single namespaces. */
import { z } from 'zod';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { KindRef, KubeClient } from './client.ts';
import type { Discovery } from './discovery.ts';
import { ApiError } from './errors.ts';
import { resourcePath } from './known-kinds.ts';
import type { Transport } from './transport.ts';

/** A cluster with more objects of a kind is shared with others: there, watches of the own namespaces cost less. */
export const MOST_OBJECTS = 1000;

const firstPage = z.looseObject({ metadata: z.looseObject({ remainingItemCount: z.number().optional() }) });
const review = z.looseObject({ status: z.looseObject({ allowed: z.boolean() }) });

/**
 * Whether the user may list and watch a kind in the whole cluster, and there are not too many objects. The reason for a no is logged, as a
 * warning.
 *
 * @throws InfrastructureError when the API server cannot be reached
 */
export async function mayWatchCluster(
  kind: KindRef,
  {
    kube,
    transport,
    discovery,
    log,
  }: { kube: Pick<KubeClient, 'create'>; transport: Transport; discovery: Discovery; log: Log },
): Promise<boolean> {
  const title = typeof kind === 'string' ? kind : kind.kind;
  const no = (why: string): false => {
    log.warn('not watched in the whole cluster: each namespace gets its own watch', { kind: title, why });
    return false;
  };
  try {
    const resource = await discovery.resolve(kind);
    const path = resourcePath(resource, {});
    const answer = await transport.repeat({
      what: `list ${title} in all namespaces`,
      path,
      query: { limit: 1 },
    });
    const { remainingItemCount = 0 } = firstPage.parse(JSON.parse(answer.body)).metadata;
    if (remainingItemCount >= MOST_OBJECTS)
      return no(`the cluster has ${remainingItemCount + 1} objects of it`);
    const [group = ''] = resource.apiVersion.includes('/') ? resource.apiVersion.split('/') : [];
    const reviewed = await kube.create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      metadata: { name: '' },
      spec: { resourceAttributes: { group, resource: resource.plural, verb: 'watch' } },
    });
    if (review.parse(reviewed).status.allowed) return true;
    return no('the user may list it in the whole cluster, but not watch it');
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return no(messageOf(error));
  }
}
