/** Deletes namespaces that nobody looks at any more. */
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';

/** The shortest that ends containers before their pod is gone: with 0, the object goes first, and the containers run on for a while. */
const GRACE_SECONDS = 1;

/**
 * Deletes a namespace and does not wait for its end. Its pods do not get their grace periods: after a check, nobody judges how they end,
 * and half a minute of pods that terminate would delay what runs next.
 *
 * @throws ApiError when the namespace cannot be deleted; without the permission to end its pods, they end in their own time
 */
export async function deleteNamespace(
  kube: Pick<KubeClient, 'delete' | 'list'>,
  name: string,
): Promise<void> {
  await kube.delete('Namespace', { name });
  // Now no controller can replace them.
  const pods = await kube.list('Pod', { namespace: name, metadataOnly: true }).catch(unlessRefused);
  await Promise.all(
    (pods ?? []).map(({ metadata }) =>
      kube
        .delete('Pod', { name: metadata.name, namespace: name }, { gracePeriodSeconds: GRACE_SECONDS })
        .catch(unlessRefused),
    ),
  );
}

function unlessRefused(error: unknown): undefined {
  if (!(error instanceof ApiError)) throw error;
}
