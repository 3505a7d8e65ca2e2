/** The init container `migrations` at work: what it logs, and how it ends. */
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { ContainerStatus, Pod } from '../../harness/kube/api/types.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { attemptsIn, MAX_ATTEMPTS } from './migration-log.ts';

export const MIGRATIONS = 'migrations';

/** An instance of the init container that has failed. */
export interface FailedRun {
  log: string;
  exitCode: number;
  startedAt: string;
  finishedAt: string;
}

/** The first pod of the release that is none of these, as soon as there is one. */
export function nextPod(release: Release, others: readonly Pod[] = []): Promise<Pod> {
  const known = new Set(others.map((pod) => pod.metadata.uid));
  return waitFor({
    what: others.length === 0 ? 'a pod of the release' : 'a pod of the new revision',
    timeoutMs: 120_000,
    look: async () => {
      const pods = await release.kube.list('Pod', { namespace: release.namespace });
      const next = pods.find(({ metadata: { uid, labels, deletionTimestamp } }) => {
        const isOwn = labels?.['pod-template-hash'] !== undefined;
        return isOwn && deletionTimestamp === undefined && !known.has(uid);
      });
      return next
        ? { done: true, value: next }
        : { done: false, seen: `${pods.length} pods, none of them new` };
    },
  });
}

interface LogLook {
  /** Empty before there is one. */
  log: string;
  /** The kubelet knows of the instance and has no log of it. */
  lost: boolean;
}

async function lookAtLog(
  { kube, namespace }: Release,
  { metadata }: Pod,
  options: { previous?: boolean } = {},
): Promise<LogLook> {
  try {
    const log = await kube.logs({ namespace, pod: metadata.name, container: MIGRATIONS, ...options });
    return { log: log ?? '', lost: log === undefined };
  } catch (error) {
    // "container … is waiting to start", or there was none before it.
    if (error instanceof ApiError && [400, 404].includes(error.status))
      return { log: '', lost: options.previous === true };
    throw error;
  }
}

/** The log of the present instance; empty while there is none. */
export function migrationLog(release: Release, pod: Pod): Promise<string> {
  return waitFor<string>({
    what: `the log of ${MIGRATIONS} of ${pod.metadata.name}`,
    timeoutMs: 30_000,
    look: async () => {
      const { log, lost } = await lookAtLog(release, pod);
      return lost ? { done: false, seen: 'the kubelet has none' } : { done: true, value: log };
    },
  });
}

/**
 * Waits until one instance has logged so many attempts to reach the database, and returns what it has logged.
 *
 * @throws WaitTimeout early, when it has ended before
 */
export function attemptsLogged(release: Release, pod: Pod, wanted: number): Promise<string> {
  return waitFor({
    what: `container ${MIGRATIONS} of ${pod.metadata.name} to log ${wanted} attempts`,
    timeoutMs: 180_000,
    intervalMs: 500,
    look: async () => {
      const { log } = await lookAtLog(release, pod);
      const attempts = attemptsIn(log).length;
      if (attempts >= wanted) return { done: true, value: log };
      const seen = `${attempts} attempts`;
      const { restartCount } = await statusOf(release, pod);
      if (restartCount === 0) return { done: false, seen };
      const before = await lookAtLog(release, pod, { previous: true });
      // That of the next one will do: who has ended once before its time does so again.
      if (before.lost) return { done: false, seen: `${seen}, after one whose log is gone` };
      return { done: false, seen, hopeless: `it ended after ${attemptsIn(before.log).length} attempts` };
    },
  });
}

/**
 * Waits until an instance has ended with another exit code than 0.
 *
 * @throws WaitTimeout early when that cannot come any more: the application has started, or it has gone on after its last attempt
 */
export function failedRun(release: Release, pod: Pod, timeoutMs = 180_000): Promise<FailedRun> {
  return waitFor<FailedRun>({
    what: `container ${MIGRATIONS} of ${pod.metadata.name} to give up`,
    timeoutMs,
    intervalMs: 500,
    look: async () => {
      const { restartCount, state, lastState } = await statusOf(release, pod);
      const ended = state?.terminated ?? lastState?.terminated;
      if (!ended) {
        const { log } = await lookAtLog(release, pod);
        const attempts = attemptsIn(log).length;
        const seen = `it runs, ${attempts} attempts logged`;
        if (attempts <= MAX_ATTEMPTS) return { done: false, seen };
        return { done: false, seen, hopeless: `it goes on after ${MAX_ATTEMPTS} attempts` };
      }
      if (ended.exitCode === 0) {
        const seen = 'it ended with exit code 0';
        return { done: false, seen, hopeless: `${seen}, and the application starts` };
      }
      // The kubelet starts the next instance before it says so: until then nobody knows of which one the log would be.
      if (state?.terminated) return { done: false, seen: `it ended with exit code ${ended.exitCode}` };
      const { log, lost } = await lookAtLog(release, pod, { previous: true });
      // The kubelet keeps the last one only: the next instance has failed meanwhile, and its log will do as well.
      if (lost) return { done: false, seen: 'its log is gone' };
      const now = await statusOf(release, pod);
      if (now.restartCount !== restartCount) return { done: false, seen: 'it is being started again' };
      const { exitCode, startedAt = '', finishedAt = '' } = ended;
      return { done: true, value: { log, exitCode, startedAt, finishedAt } };
    },
  });
}

/** Present state of the init container; before the first there is one of no runs. */
async function statusOf({ kube, namespace }: Release, { metadata }: Pod): Promise<ContainerStatus> {
  const pod = await kube.get('Pod', { name: metadata.name, namespace });
  if (!pod) throw new CheckFailure('E_NOT_FOUND', `pod ${metadata.name} is not there any more`);
  if (!pod.spec.initContainers?.some(({ name }) => name === MIGRATIONS))
    throw new CheckFailure('E_SELECTED_NOTHING', `pod ${metadata.name} has no init container ${MIGRATIONS}`);
  const status = pod.status?.initContainerStatuses?.find(({ name }) => name === MIGRATIONS);
  return status ?? { name: MIGRATIONS, ready: false, restartCount: 0, image: '', imageID: '' };
}
