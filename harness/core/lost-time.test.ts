import { describe, expect, it } from 'vitest';
import { endWithin, MachineTooSlow, type Observation, waitFor, WaitTimeout } from './deadline.ts';
import { type LostTime, withLostTime } from './lost-time.ts';
import { sleepingClock } from '../testing/sleeping-clock.ts';

/** The machine does nothing in these spans. */
function stalls(...spans: [from: number, to: number][]): LostTime {
  return {
    between: (from, to) =>
      spans.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, from)), 0),
  };
}

/** The machine works at this speed. */
const speed = (share: number): LostTime => ({ between: (from, to) => (to - from) * (1 - share) });

/** A wait of 150 s for something that happens at `readyAt`. */
async function wait(lostTime: LostTime | undefined, readyAt: number) {
  const clock = sleepingClock(0);
  const extensions: { text: string; extraMs: number }[] = [];
  const onExtension = (text: string, extraMs: number): void => void extensions.push({ text, extraMs });
  const look = (): Promise<Observation<string>> =>
    Promise.resolve(
      clock.now() >= readyAt ? { done: true, value: 'ready' } : { done: false, seen: '0 of 1 replicas' },
    );
  const waiting = withLostTime(lostTime && { lostTime, onExtension }, () =>
    waitFor({ what: 'the rollout', timeoutMs: 150_000, intervalMs: 1000, clock, look }),
  );
  const outcome: unknown = await waiting.catch((thrown: unknown) => thrown);
  return { outcome, extensions, endedAt: clock.now() };
}

describe('a wait', () => {
  it('ends at its limit when nobody counts lost time', async () => {
    const { outcome, endedAt } = await wait(undefined, 210_000);
    expect(outcome).toBeInstanceOf(WaitTimeout);
    expect(endedAt).toBe(150_000);
  });

  it('ends at its limit on a machine that works all the time', async () => {
    const { outcome, endedAt } = await wait(stalls(), Infinity);
    expect(outcome).toBeInstanceOf(WaitTimeout);
    expect((outcome as Error).message).toBe('waited 2 min 30 s for the rollout; last seen: 0 of 1 replicas');
    expect(endedAt).toBe(150_000);
  });

  it('succeeds after its limit by as much as was lost, and reports it', async () => {
    const { outcome, extensions } = await wait(speed(0.5), 210_000);
    expect(outcome).toBe('ready');
    expect(extensions).toEqual([
      {
        text: 'waited 3 min 30 s for the rollout, longer than 2 min 30 s: the machine was not able to work for 1 min 45 s of it',
        extraMs: 60_000,
      },
    ]);
  });

  it('does not report lost time that it did not need', async () => {
    expect((await wait(speed(0.5), 149_000)).extensions).toEqual([]);
  });

  it('fails when the machine was able to work for the whole limit, and says what was lost', async () => {
    const { outcome, endedAt } = await wait(stalls([20_000, 60_000]), Infinity);
    expect(outcome).toBeInstanceOf(WaitTimeout);
    expect((outcome as Error).message).toBe(
      'waited 3 min 10 s (minus 40.0 s in which the machine was not able to work) for the rollout; last seen: 0 of 1 replicas',
    );
    expect(endedAt).toBe(190_000);
  });

  it('says nothing about the subject when the machine hardly worked in three times the limit', async () => {
    const { outcome, endedAt } = await wait(speed(0.25), Infinity);
    expect(outcome).toBeInstanceOf(MachineTooSlow);
    expect(outcome).toMatchObject({
      code: 'E_MACHINE_TOO_SLOW',
      exitCode: 3,
      message:
        'waited 7 min 30 s for the rollout, but the machine was able to work for only 1 min 53 s of it, less than the limit of 2 min 30 s; last seen: 0 of 1 replicas',
    });
    expect(endedAt).toBe(450_000);
  });

  it('lets states age only while the machine works', async () => {
    const clock = sleepingClock(0);
    const ages: number[] = [];
    const look = (now: number): Promise<Observation<undefined>> => {
      ages.push(now);
      return Promise.resolve(
        ages.length < 4 ? { done: false, seen: 'no' } : { done: true, value: undefined },
      );
    };
    await withLostTime({ lostTime: stalls([1000, 2500]) }, () =>
      waitFor({ what: 'it', timeoutMs: 9000, intervalMs: 1000, clock, look }),
    );
    expect(ages).toEqual([0, 1000, 1000, 1500]);
  });

  it('ends at its limit by the clock when the work around it says so', async () => {
    const { outcome, endedAt } = await withLostTime({ lostTime: speed(0.5) }, () => wait(undefined, 210_000));
    expect(outcome).toBeInstanceOf(WaitTimeout);
    expect(endedAt).toBe(150_000);
  });

  it('counts for the work that it belongs to, also when other work runs at the same time', async () => {
    const [slow, fast] = await Promise.all([wait(speed(0.5), 210_000), wait(undefined, 210_000)]);
    expect(slow.outcome).toBe('ready');
    expect(fast.outcome).toBeInstanceOf(WaitTimeout);
  });
});

describe('endWithin', () => {
  const never = new Promise<never>(() => {});
  it.each([
    ['at its limit', undefined, 60_000, 'spent'],
    ['later by the lost time', stalls([10_000, 40_000]), 90_000, 'spent'],
    ['at three times the limit at the latest', speed(0.2), 180_000, 'exhausted'],
  ])('ends %s', async (_, lostTime, at, end) => {
    const clock = sleepingClock(0);
    const ended = withLostTime(lostTime && { lostTime }, () =>
      endWithin(60_000, never, (state) => new Error(`${String(state.end)} at ${clock.now()}`), clock),
    );
    await expect(ended).rejects.toThrow(`${end} at ${at}`);
  });
});
