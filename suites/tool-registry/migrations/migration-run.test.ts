import { describe, expect, it } from 'vitest';
import { registryObjects } from '../../../fixtures/testing/registry-objects.ts';
import { makePod } from '../../../harness/testing/sample-world.ts';
import type { LogOptions } from '../../../harness/kube/api/client.ts';
import { ApiError } from '../../../harness/kube/api/errors.ts';
import type { ContainerStatus } from '../../../harness/kube/api/types.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { attemptsLogged, failedRun, migrationLog } from './migration-run.ts';

const attempts = (count: number): string =>
  Array.from({ length: count }, (_, index) => `attempt ${index + 1}/30`).join('\n');
const ended = (exitCode: number) => ({
  terminated: { exitCode, startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:01:00Z' },
});

/** Stands for a log that the kubelet no longer has. */
const LOST = 'lost';

interface Look {
  status?: Partial<ContainerStatus>;
  log?: string;
  previous?: string;
}

/** A pod whose init container has the next of these states at each read; the last one stays. */
function release(...looks: Look[]): Release {
  let index = -1;
  const now = (): Look => looks[Math.max(0, Math.min(index, looks.length - 1))] ?? {};
  const kube = {
    get: () => {
      index += 1;
      const { status } = now();
      return Promise.resolve(
        makePod({
          spec: { initContainers: [{ name: 'migrations', image: 'i' }] },
          inits: status ? [{ name: 'migrations', ...status }] : [],
        }),
      );
    },
    logs: ({ previous }: LogOptions) => {
      const log = previous ? now().previous : now().log;
      if (log === undefined)
        return Promise.reject(new ApiError('read the log', 400, 'BadRequest', 'is waiting to start'));
      return Promise.resolve(log === LOST ? undefined : log);
    },
  };
  return { ...registryObjects(), kube } as unknown as Release;
}

const pod = makePod({});

describe('failedRun', () => {
  it('returns the log of the failed instance, restarted or not', async () => {
    const resting: Look = {
      status: { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: ended(1) },
      previous: 'refused',
    };
    expect(await failedRun(release({}, resting), pod)).toMatchObject({ log: 'refused', exitCode: 1 });
    const again: Look = {
      status: { restartCount: 1, state: { running: {} }, lastState: ended(3) },
      log: 'new',
      previous: 'refused',
    };
    expect(await failedRun(release(again), pod)).toMatchObject({ log: 'refused', exitCode: 3 });
  });

  it('reads again while the next instance may run before the status says so', async () => {
    const again = { restartCount: 1, state: { running: {} }, lastState: ended(1) };
    const racing = release(
      { status: { state: ended(1) }, log: 'of the new one', previous: 'of nobody' },
      { status: again, log: 'of the new one', previous: 'refused' },
    );
    expect(await failedRun(racing, pod)).toMatchObject({ log: 'refused' });
  });

  it('takes the next instance when the kubelet no longer has the log of this one', async () => {
    const again = { state: { running: {} }, lastState: ended(1) };
    const pruned = release(
      { status: { ...again, restartCount: 1 }, previous: LOST },
      { status: { ...again, restartCount: 1 } },
      { status: { ...again, restartCount: 2 }, previous: 'refused again' },
    );
    expect(await failedRun(pruned, pod)).toMatchObject({ log: 'refused again', exitCode: 1 });
  });

  it.each<[string, Look, RegExp]>([
    ['it succeeded', { status: { state: ended(0) } }, /exit code 0, and the application starts/],
    [
      'it goes on',
      { status: { state: { running: {} } }, log: attempts(31) },
      /gave up early: it goes on after 30 attempts/,
    ],
  ])('gives up when %s', async (_what, look, message) => {
    await expect(failedRun(release(look), pod)).rejects.toThrow(message);
  });
});

describe('attemptsLogged', () => {
  it('returns the log once it has enough attempts', async () => {
    const log = await attemptsLogged(release({ log: attempts(3) }), pod, 3);
    expect(log).toBe(attempts(3));
  });

  it('counts the attempts of the next instance when the log of the ended one is gone', async () => {
    const restarted = release(
      { log: attempts(1) },
      { status: { restartCount: 1 }, log: attempts(1), previous: LOST },
      { status: { restartCount: 2 }, previous: attempts(2) },
    );
    await expect(attemptsLogged(restarted, pod, 3)).rejects.toThrow(/it ended after 2 attempts/);
  });

  it('gives up when the instance has ended before', async () => {
    const restarted = release({ status: { restartCount: 1 }, log: attempts(1), previous: attempts(2) });
    await expect(attemptsLogged(restarted, pod, 3)).rejects.toThrow(/it ended after 2 attempts/);
  });
});

describe('migrationLog', () => {
  it('is read again while the kubelet does not have it', async () => {
    let asked = 0;
    const kube = { logs: () => Promise.resolve(asked++ === 0 ? undefined : 'upgraded') };
    expect(await migrationLog({ ...registryObjects(), kube } as unknown as Release, pod)).toBe('upgraded');
  });

  it('is empty before the instance has started', async () => {
    expect(await migrationLog(release({}), pod)).toBe('');
  });
});
