import { describe, expect, it } from 'vitest';
import { makePod } from '../../harness/testing/sample-world.ts';
import type { LogOptions } from '../../harness/kube/api/client.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { ContainerStatus, Pod } from '../../harness/kube/api/types.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { attemptsLogged, failedRun, migrationLog, nextPod } from './migration-run.ts';

const attempts = (count: number): string =>
  Array.from({ length: count }, (_, index) => `attempt ${index + 1}/30`).join('\n');
const ended = (exitCode: number) => ({
  terminated: { exitCode, startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:01:00Z' },
});

/** What there is in the place of a log that the kubelet has no more. */
const LOST = 'lost';

interface Look {
  status?: Partial<ContainerStatus>;
  log?: string;
  previous?: string;
}

/** A pod whose init container moves on by one of these at each look at it; the last one stays. */
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
  return { kube, namespace: 'demo' } as unknown as Release;
}

const pod = makePod({});

describe('failedRun', () => {
  it('has the log of the instance that ended, whether or not it has been started again', async () => {
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

  it('looks again while the next instance may run already, unsaid', async () => {
    const again = { restartCount: 1, state: { running: {} }, lastState: ended(1) };
    const racing = release(
      { status: { state: ended(1) }, log: 'of the new one', previous: 'of nobody' },
      { status: again, log: 'of the new one', previous: 'refused' },
    );
    expect(await failedRun(racing, pod)).toMatchObject({ log: 'refused' });
  });

  it('takes the next instance when the kubelet has the log of this one no more', async () => {
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
  it('has the log once it counts enough of them', async () => {
    const log = await attemptsLogged(release({ log: attempts(3) }), pod, 3);
    expect(log).toBe(attempts(3));
  });

  it('counts those of the next one when the log of the one that ended is gone', async () => {
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
  it('is asked for again while the kubelet cannot find it', async () => {
    let asked = 0;
    const kube = { logs: () => Promise.resolve(asked++ === 0 ? undefined : 'upgraded') };
    expect(await migrationLog({ kube, namespace: 'demo' } as unknown as Release, pod)).toBe('upgraded');
  });

  it('is empty before there is one', async () => {
    expect(await migrationLog(release({}), pod)).toBe('');
  });
});

describe('nextPod', () => {
  it('is one of the workload that was not there before, and stays', async () => {
    const labels = { 'pod-template-hash': 'x' };
    const pods: Pod[] = [
      makePod({ name: 'old', labels }),
      makePod({ name: 'job' }),
      makePod({ name: 'leaving', labels, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      makePod({ name: 'new', labels }),
    ];
    const kube = { list: () => Promise.resolve(pods) };
    const found = await nextPod({ kube, namespace: 'demo' } as unknown as Release, pods.slice(0, 1));
    expect(found.metadata.name).toBe('new');
  });
});
