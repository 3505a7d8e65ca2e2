/** What an exclusive check waits for before it starts. */
import type { Clock } from '../../core/deadline.ts';
import { waitFor } from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { RUN_LABEL } from '../../core/run-id.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { ApiError } from '../../kube/api/errors.ts';
import { whyTerminating } from '../../kube/api/terminating.ts';

/** Pods use their grace periods, all at the same time, where the run may not end them (deleteNamespace). */
export const PODS_GONE_MS = 120_000;

/**
 * Waits until no namespace that earlier checks have deleted has pods. Namespaces are deleted without waiting for their pods, and many
 * terminating pods would slow down an exclusive check.
 *
 * Namespaces without pods may stay: the namespace controller looks again only after half of the longest grace period in the
 * specifications of their pods, however early they have ended (Kubernetes, namespaced_resources_deleter.go). A subject that can exist
 * only once may name them, so there they are waited for: `namespaces`.
 *
 * Never throws; on timeout the check proceeds and reports cluster problems itself.
 */
export async function terminatingPodsGone(
  kube: Pick<KubeClient, 'list' | 'patch'>,
  runId: string,
  {
    log,
    signal,
    clock,
    namespaces = false,
  }: { log: Log; signal?: AbortSignal; clock?: Clock; namespaces?: boolean },
): Promise<void> {
  const touched = new Set<string>();
  try {
    await waitFor({
      what: `the ${namespaces ? 'namespaces' : 'pods'} of earlier checks to be gone`,
      timeoutMs: PODS_GONE_MS,
      intervalMs: 500,
      ...(clock && { clock }),
      signal,
      look: async () => {
        const all = await kube.list('Namespace', { labelSelector: `${RUN_LABEL}=${runId}`, signal });
        const terminating = all.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
        const left = await Promise.all(
          terminating.map(async (namespace) => {
            const { name } = namespace.metadata;
            const pods = await kube.list('Pod', { namespace: name, metadataOnly: true, signal });
            if (pods.length > 0) return pods.map(({ metadata }) => `${name}/${metadata.name}`);
            if (!namespaces) return [];
            if (!touched.has(name)) await touch(kube, name, signal);
            touched.add(name);
            return `${name} (${whyTerminating(namespace) ?? ''})`;
          }),
        );
        const seen = left.flat().join(', ');
        return seen === '' ? { done: true, value: undefined } : { done: false, seen };
      },
    });
  } catch (error) {
    log.warn('exclusive check started while pods were still terminating', { reason: messageOf(error) });
  }
}

/** A changed namespace is looked at within 5 s (namespaceDeletionGracePeriod of the namespace controller). */
async function touch(
  kube: Pick<KubeClient, 'patch'>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await kube.patch(
      'Namespace',
      { name },
      { metadata: { annotations: { 'kindproof.dev/empty': 'true' } } },
      { signal },
    );
  } catch (error) {
    // It is gone.
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
}
