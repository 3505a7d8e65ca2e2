import { describe, expect, it } from 'vitest';
import { makePod } from '../../../testing/sample-world.ts';
import type { ContainerState } from '../../../kube/api/types.ts';
import { Recording } from '../../recorder/recording.ts';
import { containerRuns, neverReady, neverStarted, restartsWithBackOff } from './back-off.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const ended = (from: number, to: number, exitCode = 1): ContainerState => ({
  terminated: { exitCode, startedAt: at(from), finishedAt: at(to) },
});
const running = (from: number): ContainerState => ({ running: { startedAt: at(from) } });
const backingOff = (length: string): ContainerState => ({
  waiting: {
    reason: 'CrashLoopBackOff',
    message: `back-off ${length} restarting failed container=migrations pod=web-1_demo(uid-web-1)`,
  },
});

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

describe('containerRuns', () => {
  it('returns each instance once, from all states that show it', () => {
    const recording = record(
      { init: running(1) },
      { init: ended(1, 4) },
      { init: running(5), last: ended(1, 4) },
      { init: backingOff('10s'), last: ended(5, 8) },
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
  /** Fails and waits this long each time; how long it really waits does not matter. */
  const failing = (...lengths: string[]): Recording =>
    record(
      { init: running(1) },
      ...lengths.flatMap((length, index) => {
        const last = ended(1 + index, 2 + index);
        return [
          { init: backingOff(length), last },
          { init: backingOff(length), last },
          { init: running(2 + index), last },
        ];
      }),
    );

  it.each([
    [
      'holds for growing back-offs',
      ['10s', '20s', '40s', '1m20s'],
      true,
      '5 runs, back-offs: 10s, 20s, 40s, 1m20s',
    ],
    ['holds for another start', ['1s', '2s'], true, '3 runs, back-offs: 1s, 2s'],
    ['fails for a single back-off', ['10s'], false, '2 runs, back-offs: 10s'],
    ['fails for the same back-off', ['10s', '10s'], false, '3 runs, back-offs: 10s'],
    ['fails for a shorter back-off', ['1m20s', '10s'], false, '3 runs, back-offs: 1m20s, 10s'],
    ['fails for an unknown length', ['10s', 'soon'], false, '3 runs, back-offs: 10s, soon'],
    ['fails without a back-off', [], false, '1 runs, back-offs: none'],
  ])('%s', (_what, lengths, ok, actual) => {
    expect(restartsWithBackOff(failing(...lengths), 'web-1', 'migrations')).toMatchObject({ ok, actual });
  });

  it('fails when an instance succeeded', () => {
    const recording = record(
      { init: ended(1, 4, 0) },
      { init: backingOff('10s'), last: ended(5, 8) },
      { init: backingOff('20s'), last: ended(18, 20) },
    );
    expect(restartsWithBackOff(recording, 'web-1', 'migrations')).toMatchObject({
      ok: false,
      details: [expect.stringContaining('ended with 0')],
    });
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

describe('neverReady', () => {
  const seen = (...ready: ('True' | 'False')[]): Recording =>
    new Recording(
      ready.map((status, seq) => ({
        seq,
        at: seq,
        type: 'MODIFIED' as const,
        object: makePod({ conditions: [{ type: 'Ready', status }] }),
      })),
    );

  it.each<[string, Recording, string]>([
    ['holds while it never was', seen('False', 'False'), 'never ready'],
    ['fails when it was once', seen('False', 'True', 'False'), 'ready in 1 recorded states'],
    ['fails without the pod', seen(), 'the recording has no such pod'],
  ])('%s', (title, recording, actual) => {
    expect(neverReady(recording, 'web-1')).toMatchObject({ ok: title.startsWith('holds'), actual });
  });
});
