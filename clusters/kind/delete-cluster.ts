/** Removes kind clusters, complete or partly created. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError, messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import { notOwnFolder } from '../../harness/core/own-folder.ts';
import { SHARED_STORAGE_PATH, sharedFolderOf } from './kind-config.ts';
import { KIND_CLUSTER_LABEL, listNodeContainers } from './node-containers.ts';

export interface DeleteOptions {
  clock: Clock;
  log: Log;
  /** The run's own kubeconfig; removed as well. */
  kubeconfig?: string | undefined;
  /**
   * `kind create` was interrupted: its `docker run` processes may still reach the engine, so the cluster counts as removed only after
   * several polls without containers.
   */
  interrupted?: boolean | undefined;
}

/**
 * Removes all containers of a cluster with their volumes. A missing cluster is not an error.
 *
 * Does the same as `kind delete cluster` (docker rm -f -v of all nodes by label), but more reliably: kind first locks and edits a
 * kubeconfig and gives up when that fails, and it lists the containers only once.
 *
 * @param run must not be bound to the signal that cancels the run: the cluster is deleted after the signal has aborted
 * @returns names of the removed containers
 * @throws InfrastructureError `E_CLUSTER_DELETE` with the remaining containers
 */
export async function deleteCluster(
  run: CommandRunner,
  name: string,
  { clock, log, kubeconfig, interrupted = false }: DeleteOptions,
): Promise<string[]> {
  const removed = new Set<string>();
  const emptyPollsNeeded = interrupted ? 4 : 1;
  const folder = await emptySharedFolder(run, name, log);
  let emptyPolls = 0;
  let lastError = '';
  try {
    await waitFor({
      what: `cluster ${name} to be gone`,
      timeoutMs: 120_000,
      intervalMs: 500,
      clock,
      look: async () => {
        const names = (await listNodeContainers(run, name)).map((container) => container.name);
        emptyPolls = names.length === 0 ? emptyPolls + 1 : 0;
        if (emptyPolls >= emptyPollsNeeded) return { done: true, value: undefined };
        if (names.length > 0) {
          const result = await run.run('docker', ['rm', '--force', '--volumes', ...names], { reject: false });
          lastError = result.exitCode === 0 ? '' : result.stderr.trim();
          if (result.exitCode === 0) for (const removedName of names) removed.add(removedName);
        }
        return {
          done: false,
          seen: names.length === 0 ? 'no container' : `still existing: ${names.join(', ')}`,
        };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError(
      'E_CLUSTER_DELETE',
      `cluster ${name} could not be removed: ${error.history.at(-1)?.seen ?? 'unknown state'}. ${lastError}`,
      {
        hint: `remove its containers: docker rm -f -v $(docker ps -aq --filter label=${KIND_CLUSTER_LABEL}=${name})`,
        details: { history: error.history },
      },
    );
  }
  // After an interrupt there may have been no container to read the folder's path from.
  await removeFolder(folder ?? sharedFolderOf(name), name, log);
  if (kubeconfig !== undefined) await removeKubeconfig(kubeconfig);
  log.info('cluster deleted', { cluster: name, containers: [...removed] });
  return [...removed];
}

/** Removes the run's own kubeconfig and kind's lock file. */
export async function removeKubeconfig(file: string): Promise<void> {
  await rm(file, { force: true });
  await rm(`${file}.lock`, { force: true });
}

const mountsSchema = z.array(z.object({ Source: z.string().default(''), Destination: z.string() }));

/** Pods' files belong to root, so they are deleted from inside a running node. Returns the shared folder's path. */
async function emptySharedFolder(run: CommandRunner, name: string, log: Log): Promise<string | undefined> {
  const containers = await listNodeContainers(run, name);
  const [first] = containers;
  if (first === undefined) return undefined;
  const inspected = await run.run('docker', ['inspect', '--format', '{{json .Mounts}}', first.name], {
    reject: false,
  });
  const mounts = mountsSchema.safeParse(parseJson(inspected.stdout));
  const folder = mounts.data?.find((mount) => mount.Destination === SHARED_STORAGE_PATH)?.Source;
  if (folder === undefined) return undefined;
  const running = containers.find((container) => container.state === 'running');
  if (running !== undefined && (await isOurs(folder, log))) {
    const script = `find ${SHARED_STORAGE_PATH} -mindepth 1 -delete`;
    const result = await run
      .run('docker', ['exec', running.name, 'sh', '-c', script], {
        reject: false,
        timeoutMs: 20_000,
      })
      .catch((error: unknown) => ({ exitCode: -1, stderr: messageOf(error) }));
    if (result.exitCode !== 0) log.warn('shared folder not emptied', { folder, error: result.stderr });
  }
  return folder;
}

/** Removes only the folder that kindproof created for this cluster. */
async function removeFolder(folder: string, name: string, log: Log): Promise<void> {
  if (basename(folder) !== basename(sharedFolderOf(name)) || !(await isOurs(folder, log))) return;
  await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
    log.warn('shared folder not removed', { folder, error: messageOf(error) });
  });
}

/** Whether deleting its content can only hit files of this cluster. A folder that this machine does not have is the engine's own. */
async function isOurs(folder: string, log: Log): Promise<boolean> {
  if (!existsSync(folder)) return true;
  const why = await notOwnFolder(folder);
  if (why !== undefined) log.warn('shared folder left as it is', { folder, why });
  return why === undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
