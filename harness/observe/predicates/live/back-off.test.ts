import { describe, expect, it } from 'vitest';
import { makePod } from '../../../testing/sample-world.ts';
import type { ContainerState } from '../../../kube/api/types.ts';
import { Recording } from '../../recorder/recording.ts';
import { containerRuns, neverStarted, restartsWithBackOff } from './back-off.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const ended = (from: number, to: number, exitCode = 1): ContainerState => ({
  terminated: { exitCode, startedAt: at(from), finishedAt: at(to) },
});
const running = (from: number): ContainerState => ({ running: { startedAt: at(from) } });
const waiting: ContainerState = { waiting: { reason: 'CrashLoopBackOff' } };

interface Look {
  init: ContainerState;
  last?: ContainerState;
  main?: ContainerState;
}

function record(...looks: Look[]): Recording {
  return new Recording(
    looks.map(({ init, last, main }, seq) => ({
      seq,
      at: seq,
      type: 'MODIFIED' as const,
      object: makePod({
        inits: [{ name: 'migrations', state: init, ...(last ? { lastState: last } : {}) }],
        statuses: [{ name: 'app', state: main ?? { waiting: { reason: 'PodInitializing' } } }],
      }),
    })),
  );
}

const pauses = (...seconds: number[]): ReturnType<typeof containerRuns> => {
  let time = 0;
  return [0, ...seconds].map((pause) => {
    const startedAt = at((time += pause));
    return { startedAt, finishedAt: at((time += 3)), exitCode: 1 };
  });
};

describe('containerRuns', () => {
  it('returns each instance once, from all states that show it', () => {
    const recording = record(
      { init: running(1) },
      { init: ended(1, 4) },
      { init: running(5), last: ended(1, 4) },
      { init: waiting, last: ended(5, 8) },
      { init: running(18), last: ended(5, 8) },
    );
    expect(containerRuns(recording, 'web-1', 'migrations')).toEqual([
      { startedAt: at(1), finishedAt: at(4), exitCode: 1 },
      { startedAt: at(5), finishedAt: at(8), exitCode: 1 },
      { startedAt: at(18), finishedAt: undefined, exitCode: undefined },
    ]);
  });

  it.each([
    ['another pod', 'web-2', 'migrations'],
    ['another container', 'web-1', 'other'],
  ])('returns nothing for %s', (_what, pod, container) => {
    expect(containerRuns(record({ init: running(1) }), pod, container)).toEqual([]);
  });
});

describe('restartsWithBackOff', () => {
  it.each([
    ['holds for growing pauses', pauses(0, 11, 24), true, '4 runs, pauses: 0 s, 11 s, 24 s'],
    ['holds for two restarts', pauses(1, 12), true, '3 runs, pauses: 1 s, 12 s'],
    ['fails for one restart', pauses(1), false, '2 runs, pauses: 1 s'],
    ['fails for equal pauses', pauses(1, 1, 1), false, '4 runs, pauses: 1 s, 1 s, 1 s'],
    ['fails without a restart', pauses(), false, '1 runs, pauses: none'],
    ['fails without a run', [], false, '0 runs, pauses: none'],
  ])('%s', (_what, runs, ok, actual) => {
    expect(restartsWithBackOff(runs, 'migrations')).toMatchObject({ ok, actual });
  });

  it('fails when an instance succeeded', () => {
    const [first, ...others] = pauses(1, 12);
    const runs = [{ ...first!, exitCode: 0 }, ...others];
    expect(restartsWithBackOff(runs, 'migrations')).toMatchObject({
      ok: false,
      details: [expect.stringContaining('ended with 0')],
    });
  });

  it('counts a running last instance as a restart', () => {
    const runs = [...pauses(1), { startedAt: at(30), finishedAt: undefined, exitCode: undefined }];
    expect(restartsWithBackOff(runs, 'migrations').ok).toBe(true);
  });
});

describe('neverStarted', () => {
  it('holds while the main container waits', () => {
    expect(neverStarted(record({ init: running(1) }, { init: ended(1, 2) }), 'web-1')).toMatchObject({
      ok: true,
      actual: 'app never started',
    });
  });

  it.each([
    ['runs', running(3)],
    ['has ended again', ended(3, 4)],
  ])('fails when the main container %s', (_what, main) => {
    expect(neverStarted(record({ init: running(1) }, { init: running(1), main }), 'web-1')).toMatchObject({
      ok: false,
      details: [expect.stringContaining('app of web-1 started')],
    });
  });

  it('fails without the pod', () => {
    expect(neverStarted(record(), 'web-1').ok).toBe(false);
  });
});
