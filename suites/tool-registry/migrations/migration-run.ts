/** The container that migrates, while it runs: what it logs, and how it ends. */
import { waitFor } from '../../../harness/core/deadline.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import { ApiError } from '../../../harness/kube/api/errors.ts';
import type { ContainerStatus, Pod } from '../../../harness/kube/api/types.ts';
import { neverReady, neverStarted } from '../../../harness/observe/predicates/live/back-off.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { rolesOf } from '../roles.ts';
import { attemptsIn, MAX_ATTEMPTS } from './migration-log.ts';

/** Its name. */
export function migrationsOf(release: Release): string {
  return rolesOf(release).migrations.container.name;
}

/**
 * The application of a pod has not begun to serve. Where its own command migrates, its container runs meanwhile, and must not be ready.
 */
export async function neverServed(release: Release, { metadata }: Pod): Promise<PredicateResult> {
  const recording = await release.settleRecording();
  const { isSeparate } = rolesOf(release).migrations;
  return isSeparate ? neverStarted(recording, metadata.name) : neverReady(recording, metadata.name);
}

/** A failed instance. */
export interface FailedRun {
  log: string;
  exitCode: number;
  startedAt: string;
  finishedAt: string;
}

interface InstanceLog {
  /** Empty before the instance has started. */
  log: string;
  /** The kubelet knows the instance but no longer has its log. */
  lost: boolean;
}

async function readLog(
  release: Release,
  { metadata }: Pod,
  options: { previous?: boolean } = {},
): Promise<InstanceLog> {
  const { kube, namespace } = release;
  try {
    const log = await kube.logs({
      namespace,
      pod: metadata.name,
      container: migrationsOf(release),
      ...options,
    });
    return { log: log ?? '', lost: log === undefined };
  } catch (error) {
    // "container … is waiting to start", or there is no previous instance.
    if (error instanceof ApiError && [400, 404].includes(error.status))
      return { log: '', lost: options.previous === true };
    throw error;
  }
}

/** The log of the present instance; empty before it has started. */
export function migrationLog(release: Release, pod: Pod): Promise<string> {
  return waitFor<string>({
    what: `the log of ${migrationsOf(release)} of ${pod.metadata.name}`,
    timeoutMs: 30_000,
    look: async () => {
      const { log, lost } = await readLog(release, pod);
      return lost ? { done: false, seen: 'the kubelet has no log' } : { done: true, value: log };
    },
  });
}

/**
 * Waits until one instance has logged this many attempts to reach the database, and returns its log.
 *
 * @throws WaitTimeout early when it has ended before
 */
export function attemptsLogged(release: Release, pod: Pod, wanted: number): Promise<string> {
  return waitFor({
    what: `container ${migrationsOf(release)} of ${pod.metadata.name} to log ${wanted} attempts`,
    timeoutMs: 180_000,
    intervalMs: 500,
    look: async () => {
      const { log } = await readLog(release, pod);
      const attempts = attemptsIn(log).length;
      if (attempts >= wanted) return { done: true, value: log };
      const seen = `${attempts} attempts`;
      const { restartCount } = await statusOf(release, pod);
      if (restartCount === 0) return { done: false, seen };
      const before = await readLog(release, pod, { previous: true });
      // The next instance will do: one that ended too early ends too early again.
      if (before.lost) return { done: false, seen: `${seen}; the log of the previous instance is gone` };
      return { done: false, seen, hopeless: `it ended after ${attemptsIn(before.log).length} attempts` };
    },
  });
}

/**
 * Waits until an instance has failed, and returns its log and exit code.
 *
 * @throws WaitTimeout early when it cannot fail any more: the application has started, or it goes on after its last attempt
 */
export function failedRun(release: Release, pod: Pod, timeoutMs = 180_000): Promise<FailedRun> {
  return waitFor<FailedRun>({
    what: `container ${migrationsOf(release)} of ${pod.metadata.name} to give up`,
    timeoutMs,
    intervalMs: 500,
    look: async () => {
      const { restartCount, state, lastState } = await statusOf(release, pod);
      const ended = state?.terminated ?? lastState?.terminated;
      if (!ended) {
        const { log } = await readLog(release, pod);
        const attempts = attemptsIn(log).length;
        const seen = `it runs, ${attempts} attempts logged`;
        if (attempts <= MAX_ATTEMPTS) return { done: false, seen };
        return { done: false, seen, hopeless: `it goes on after ${MAX_ATTEMPTS} attempts` };
      }
      if (ended.exitCode === 0) {
        const seen = 'it ended with exit code 0';
        return { done: false, seen, hopeless: `${seen}, and the application starts` };
      }
      // The kubelet starts the next instance before it updates the status: until then the log may be of either instance.
      if (state?.terminated) return { done: false, seen: `it ended with exit code ${ended.exitCode}` };
      const { log, lost } = await readLog(release, pod, { previous: true });
      // The kubelet keeps only the last log: the next instance has failed meanwhile, and its log will do.
      if (lost) return { done: false, seen: 'its log is gone' };
      const now = await statusOf(release, pod);
      if (now.restartCount !== restartCount) return { done: false, seen: 'it is being restarted' };
      const { exitCode, startedAt = '', finishedAt = '' } = ended;
      return { done: true, value: { log, exitCode, startedAt, finishedAt } };
    },
  });
}

/** Status of the container; one without restarts while the kubelet has not reported any. */
async function statusOf(release: Release, { metadata }: Pod): Promise<ContainerStatus> {
  const { kube, namespace } = release;
  const migrations = migrationsOf(release);
  const pod = await kube.get('Pod', { name: metadata.name, namespace });
  if (!pod) throw new CheckFailure('E_NOT_FOUND', `pod ${metadata.name} no longer exists`);
  const { initContainers = [], containers } = pod.spec;
  if (![...initContainers, ...containers].some(({ name }) => name === migrations))
    throw new CheckFailure('E_SELECTED_NOTHING', `pod ${metadata.name} has no container ${migrations}`);
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const status = [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === migrations);
  return status ?? { name: migrations, ready: false, restartCount: 0, image: '', imageID: '' };
}
