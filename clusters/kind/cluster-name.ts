/** Which names kind clusters can have, and which are taken. */
import type { CommandRunner } from '../../harness/core/command.ts';
import { UsageError } from '../../harness/core/errors.ts';
import { listNodeContainers } from './node-containers.ts';

export class ClusterExistsError extends UsageError {
  constructor(name: string) {
    super('E_CLUSTER_EXISTS', `cluster ${name} already exists`, {
      hint: `use it with --reuse, remove it with \`npm run sweep -- --run ${name}\` (with \`kind delete cluster --name ${name}\` when kindproof has not created it), or set KINDPROOF_DESK=two for a second one`,
    });
  }
}

/** kind appends `-control-plane` and uses the result as a host name, which has at most 63 characters. */
export function assertClusterName(name: string): void {
  if (/^[a-z0-9][a-z0-9.-]*$/.test(name) && name.length <= 49) return;
  throw new UsageError('E_CLUSTER_NAME', `"${name}" is not a valid cluster name`, {
    hint: 'use up to 49 lower-case letters, digits, dots and hyphens, beginning with a letter or digit',
  });
}

/**
 * Rejects the name of an existing cluster, running or stopped. Needs the container engine, but neither kind nor a node image.
 *
 * @throws ClusterExistsError (exit code 2)
 */
export async function rejectNameInUse(run: CommandRunner, name: string): Promise<void> {
  if ((await listNodeContainers(run, name)).length > 0) throw new ClusterExistsError(name);
}
