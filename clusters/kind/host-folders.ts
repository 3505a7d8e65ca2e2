/** Folders on the machine that belong to a cluster and live as long as it does. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder behind storage classes that several nodes can mount.
 *
 * It is derived from the cluster's name, not from the run: a kept cluster outlives the run that made it.
 */
export function sharedFolderOf(cluster: string): string {
  return join(tmpdir(), `kindproof-shared-${cluster}`);
}
