/** Learns the values of Secrets as they are created, so that they are redacted. The Secrets themselves are not recorded. */
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Redactor } from '../../core/redact.ts';
import type { KubeClient, WatchHandle } from '../../kube/api/client.ts';
import { SECRETS_WITHOUT_RELEASES, secretsIn } from '../../kube/api/secret-values.ts';

/**
 * Watches the Secrets of a namespace, also those of hooks and operators that are deleted again.
 *
 * Never throws: where Secrets may not be watched, what was rendered is known all the same.
 *
 * @returns `synced` resolves when the present Secrets are known
 */
export function watchSecrets({
  kube,
  namespace,
  redactor,
  log,
}: {
  kube: Pick<KubeClient, 'watch'>;
  namespace: string;
  redactor: Redactor;
  log: Log;
}): WatchHandle {
  const watch = kube.watch('Secret', { namespace, fieldSelector: SECRETS_WITHOUT_RELEASES }, ({ object }) => {
    if (object) redactor.learn(secretsIn([{ ...object, apiVersion: 'v1', kind: 'Secret' }]));
  });
  const note = (error: unknown): void => {
    log.info('Secrets of the namespace cannot be watched', { namespace, error: messageOf(error) });
  };
  return { synced: watch.synced.catch(note), stop: () => watch.stop().catch(note) };
}
