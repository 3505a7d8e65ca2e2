/** Removes kind clusters, whole or half-made. */
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { systemClock, waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError, messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import { silentLog } from '../../harness/core/log.ts';
import { sharedFolderOf } from './host-folders.ts';
import { SHARED_STORAGE_PATH } from './kind-config.ts';
import { listNodeContainers } from './node-containers.ts';

export interface DeleteOptions {
  clock?: Clock | undefined;
  log?: Log | undefined;
  /** The run's own kubeconfig, removed with its lock file. */
  kubeconfig?: string | undefined;
  /**
   * `kind create` was cut off: its `docker run` processes may still be on their way to the engine, so the cluster counts as gone
   * only after several empty looks.
   */
  interrupted?: boolean | undefined;
  /** Default 120 000 ms. */
  timeoutMs?: number | undefined;
}

/**
 * Removes all containers of a cluster with their volumes; a cluster that does not exist is no error.
 *
 * This is what `kind delete cluster` does (docker rm -f -v of all nodes by label), without the detour: kind locks and edits a
 * kubeconfig first and gives up when that fails, and it looks only once.
 *
 * @param run must not be bound to the signal that cancels the run: this is called after it has been aborted
 * @returns names of the containers that were removed
 * @throws InfrastructureError `E_CLUSTER_DELETE` with the containers that are left
 */
export async function deleteCluster(
  run: CommandRunner,
  name: string,
  options: DeleteOptions = {},
): Promise<string[]> {
  const log = options.log ?? silentLog;
  const removed = new Set<string>();
  const quietLooks = options.interrupted === true ? 4 : 1;
  const folder = await emptySharedFolder(run, name, log);
  let quiet = 0;
  let lastError = '';
  try {
    await waitFor({
      what: `cluster ${name} to be gone`,
      timeoutMs: options.timeoutMs ?? 120_000,
      intervalMs: 500,
      clock: options.clock ?? systemClock,
      look: async () => {
        const names = (await listNodeContainers(run, name)).map((container) => container.name);
        quiet = names.length === 0 ? quiet + 1 : 0;
        if (quiet >= quietLooks) return { done: true, value: undefined };
        if (names.length > 0) {
          const result = await run.run('docker', ['rm', '--force', '--volumes', ...names], { reject: false });
          lastError = result.exitCode === 0 ? '' : result.stderr.trim();
          if (result.exitCode === 0) for (const removedName of names) removed.add(removedName);
        }
        return {
          done: false,
          seen: names.length === 0 ? 'no container' : `still there: ${names.join(', ')}`,
        };
      },
    });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new InfrastructureError(
      'E_CLUSTER_DELETE',
      `cluster ${name} could not be removed: ${error.history.at(-1)?.seen ?? 'unknown state'}. ${lastError}`,
      {
        hint: `remove its containers: docker rm -f -v $(docker ps -aq --filter label=io.x-k8s.kind.cluster=${name})`,
        details: { history: error.history },
      },
    );
  }
  // After an interrupt there may have been no container to ask.
  await removeFolder(folder ?? sharedFolderOf(name), name, log);
  if (options.kubeconfig !== undefined) {
    await rm(options.kubeconfig, { force: true });
    await rm(`${options.kubeconfig}.lock`, { force: true });
  }
  log.info('cluster deleted', { cluster: name, containers: [...removed] });
  return [...removed];
}

const mountsSchema = z.array(z.object({ Source: z.string().default(''), Destination: z.string() }));

/** Files of pods belong to root: they are removed from inside a node, as long as there is one. */
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
  if (running !== undefined) {
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

/** Only a folder that this tool made for this very cluster. */
async function removeFolder(folder: string, name: string, log: Log): Promise<void> {
  if (basename(folder) !== basename(sharedFolderOf(name))) return;
  await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
    log.warn('shared folder not removed', { folder, error: messageOf(error) });
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
