import { describe, expect, it } from 'vitest';
import {
  type Clock,
  type Observation,
  orInterrupted,
  seconds,
  systemClock,
  waitFor,
  WaitTimeout,
} from './deadline.ts';
import { InterruptedError } from './errors.ts';

/** Time passes only by sleeping. An aborted signal rejects a sleep, as with the system clock. */
function fakeClock(): Clock & { slept: number[] } {
  let now = 1000;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: (ms, signal) => {
      slept.push(ms);
      now += ms;
      return signal?.aborted ? Promise.reject(new InterruptedError()) : Promise.resolve();
    },
  };
}

function looks<T>(...observations: Observation<T>[]): () => Promise<Observation<T>> {
  let next = 0;
  return () => {
    const observation = observations[Math.min(next, observations.length - 1)]!;
    next += 1;
    return Promise.resolve(observation);
  };
}
const notYet = (seen: string) => ({ done: false as const, seen });

async function timeoutOf(promise: Promise<unknown>): Promise<WaitTimeout> {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WaitTimeout);
  return error as WaitTimeout;
}

describe('waitFor', () => {
  it('returns immediately when the condition already holds', async () => {
    const clock = fakeClock();
    const look = looks({ done: true, value: 3 });
    await expect(waitFor({ what: 'it', timeoutMs: 0, clock, look })).resolves.toBe(3);
    expect(clock.slept).toEqual([]);
  });

  it('polls after each interval until done', async () => {
    const clock = fakeClock();
    const look = looks<string>(notYet('1 of 2'), notYet('1 of 2'), { done: true, value: 'all' });
    await expect(waitFor({ what: 'it', timeoutMs: 900, intervalMs: 100, clock, look })).resolves.toBe('all');
    expect(clock.slept).toEqual([100, 100]);
  });

  it('times out with every distinct state seen', async () => {
    const clock = fakeClock();
    const look = looks(notYet('0 of 2'), notYet('0 of 2'), notYet('1 of 2'));
    const error = await timeoutOf(
      waitFor({ what: '2 replicas', timeoutMs: 1000, intervalMs: 300, clock, look }),
    );
    expect(error.message).toBe('waited 1.0 s for 2 replicas; last seen: 1 of 2');
    expect(error.history).toEqual([
      { afterMs: 0, seen: '0 of 2' },
      { afterMs: 600, seen: '1 of 2' },
    ]);
    expect(error).toMatchObject({ code: 'E_WAIT_TIMEOUT', exitCode: 1, details: { waitedMs: 1000 } });
  });

  it('polls once more at the deadline', async () => {
    const clock = fakeClock();
    const look = looks<number>(notYet('no'), notYet('no'), { done: true, value: 1 });
    await expect(waitFor({ what: 'it', timeoutMs: 400, intervalMs: 300, clock, look })).resolves.toBe(1);
    expect(clock.slept).toEqual([300, 100]);
  });

  it('gives up as soon as the observation is hopeless', async () => {
    const clock = fakeClock();
    const look = looks(notYet('Pending'), { done: false, seen: 'Failed', hopeless: 'it never restarts' });
    const error = await timeoutOf(waitFor({ what: 'the pod', timeoutMs: 60_000, clock, look }));
    expect(error.message).toBe(
      'waited 0.3 s for the pod; last seen: Failed (gave up early: it never restarts)',
    );
    expect(clock.slept).toHaveLength(1);
  });

  it('does not poll after an interruption', async () => {
    const signal = AbortSignal.abort(new InterruptedError('by hand'));
    const look = () => Promise.reject(new Error('polled'));
    await expect(waitFor({ what: 'it', timeoutMs: 1, signal, look })).rejects.toThrow('by hand');
  });

  it('is interrupted during a pause', async () => {
    const controller = new AbortController();
    const look = () => {
      controller.abort();
      return Promise.resolve(notYet('no'));
    };
    const waiting = waitFor({
      what: 'it',
      timeoutMs: 60_000,
      intervalMs: 60_000,
      signal: controller.signal,
      look,
    });
    await expect(waiting).rejects.toBeInstanceOf(InterruptedError);
  });

  it('passes on errors of the poll', async () => {
    const bug = new TypeError('a bug');
    await expect(waitFor({ what: 'it', timeoutMs: 9, look: () => Promise.reject(bug) })).rejects.toBe(bug);
  });
});

describe('the system clock', () => {
  it('rejects an interrupted sleep with the reason of the signal', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(new InterruptedError('interrupted by SIGINT'));
    await expect(sleeping).rejects.toThrow('interrupted by SIGINT');
  });
});

describe('seconds', () => {
  it.each([
    [0, '0.0 s'],
    [449, '0.4 s'],
    [12_300, '12.3 s'],
    [99_949, '99.9 s'],
    [99_950, '1 min 40 s'],
    [119_600, '2 min 00 s'],
    [125_000, '2 min 05 s'],
    [3_600_000, '60 min 00 s'],
  ])('%i ms: %s', (ms, text) => {
    expect(seconds(ms)).toBe(text);
  });
});

describe('orInterrupted', () => {
  it('settles like the promise', async () => {
    const { signal } = new AbortController();
    await expect(orInterrupted(Promise.resolve(3), signal)).resolves.toBe(3);
    await expect(orInterrupted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });

  it('rejects on interruption although the promise is pending', async () => {
    const controller = new AbortController();
    const ended = orInterrupted(new Promise(() => {}), controller.signal);
    controller.abort(new InterruptedError('by SIGINT'));
    await expect(ended).rejects.toThrow(new InterruptedError('by SIGINT'));
    await expect(orInterrupted(new Promise(() => {}), controller.signal)).rejects.toThrow('by SIGINT');
  });
});
