import { describe, expect, it } from 'vitest';
import { waitFor } from '../../core/deadline.ts';
import { CheckFailure } from '../../core/errors.ts';
import { StallLog } from '../../observe/stalls/stall-log.ts';
import { fakeCheck, fakeLab, type FakeLab } from '../../testing/fake-lab.ts';
import { expect as counted } from './assertions.ts';
import type { CheckContext, CheckOptions } from './check.ts';
import { executeCheck } from './execute-check.ts';
import type { Release } from './release.ts';

interface Attempt extends Pick<CheckContext, 'lab' | 'observe'> {
  /** 1, 2 … */
  number: number;
  /** Lets the machine stall for a time, now. */
  stall: (ms: number, place?: string) => Promise<void>;
  /** Lets the machine work for a time. */
  work: (ms: number) => Promise<void>;
  /** Waits 100 s for something that happens at `at` seconds of the attempt, while this share of the time is lost. */
  wait: (at: number, lostShare?: number) => Promise<void>;
}

/** Runs a check whose body is called once for each attempt. */
async function run(body: (attempt: Attempt) => Promise<void> | void, options: CheckOptions = {}) {
  const stalls = new StallLog(() => clock.now());
  const { lab: shared, done, clock } = fakeLab({ deps: { stalls } });
  let attempts = 0;
  const work = (ms: number): Promise<void> => clock.sleep(ms);
  const check = fakeCheck(
    'T-01',
    async ({ lab, observe }) => {
      attempts += 1;
      const start = clock.now();
      await body({
        lab,
        observe,
        number: attempts,
        work,
        async stall(ms, place = 'machine') {
          const from = clock.now();
          stalls.add({ place, from, to: from + ms, lostMs: ms, stalled: true });
          for (let left = ms; left > 0; left -= 5000) await clock.sleep(Math.min(left, 5000));
        },
        async wait(at, lostShare = 0) {
          const until = start + at * 1000;
          const span = { from: start, to: start + 1_000_000 };
          if (lostShare > 0) {
            stalls.add({ place: 'cores', ...span, lostMs: 1_000_000 * lostShare, stalled: false });
          }
          await waitFor({
            what: 'the rollout',
            timeoutMs: 100_000,
            intervalMs: 1000,
            clock,
            look: () =>
              Promise.resolve(
                clock.now() >= until ? { done: true, value: undefined } : { done: false, seen: '0 of 1' },
              ),
          });
        },
      });
    },
    options,
  );
  const outcome = await executeCheck(check, shared);
  return { ...outcome, attempts, done };
}

/** A lab on a machine that stalls for the first minute. */
function stalledLab(): FakeLab {
  const stalls = new StallLog(() => 0);
  stalls.add({ place: 'machine', from: -5000, to: 60_000, lostMs: 65_000, stalled: true });
  return fakeLab({ deps: { stalls } });
}

const fails = (): never => {
  throw new CheckFailure('E_X', 'it restarted');
};
const passes = (): void => {
  counted(1).toBe(1);
};

describe('a failed check', () => {
  it('stays failed on a machine that does not stall', async () => {
    const { result, attempts, stalls } = await run(fails);
    expect(result).toMatchObject({ status: 'failed', reason: 'it restarted' });
    expect(result).not.toHaveProperty('attempts');
    expect({ attempts, stalls }).toEqual({ attempts: 1, stalls: undefined });
  });

  it('is repeated in new namespaces when something stalled, and reports both attempts', async () => {
    const { result, attempts, stalls, done } = await run(async ({ number, lab, stall, work, observe }) => {
      await lab.namespace();
      observe(`attempt ${number}`);
      await work(1000);
      if (number > 1) return passes();
      await stall(12_000);
      fails();
    });
    const because = 'the machine stalled for 12.0 s while the check ran';
    expect(result).toMatchObject({
      status: 'passed',
      startedAt: '1970-01-01T00:00:00.000Z',
      durationMs: 14_000,
      namespaces: [],
      observed: [
        `repeated, because ${because}; the first attempt failed: it restarted`,
        'attempt 1',
        'attempt 2',
      ],
      attempts: [
        { startedAt: '1970-01-01T00:00:00.000Z', durationMs: 13_000, reason: 'it restarted', because },
      ],
    });
    expect(attempts).toBe(2);
    expect(stalls).toEqual([{ place: 'machine', from: 1000, to: 13_000 }]);
    expect(done).toEqual([
      'create Namespace kp-id-app',
      'delete Namespace kp-id-app',
      'create Namespace kp-id-app-2',
      'delete Namespace kp-id-app-2',
    ]);
  });

  it('is failed when it fails again without a stall', async () => {
    const { result, attempts } = await run(async ({ number, stall }) => {
      if (number === 1) await stall(3000, 'API server');
      fails();
    });
    expect(result).toMatchObject({
      status: 'failed',
      reason: 'it restarted',
      attempts: [{ because: 'the API server stalled for 3.0 s while the check ran' }],
    });
    expect(attempts).toBe(2);
  });

  it('is errored, never failed, when something stalls in both attempts', async () => {
    const { result, attempts } = await run(async ({ stall }) => {
      await stall(12_000);
      fails();
    });
    const reason =
      'the machine stalled for 12.0 s while the check ran, as in the first attempt, which may be why it failed: it restarted';
    expect(result).toMatchObject({ status: 'errored', reason, diagnosis: { summary: reason } });
    expect(result.diagnosis?.hint).toBe('Run again when the machine does nothing else.');
    expect(attempts).toBe(2);
  });

  it('is errored without another attempt when it may have changed the shared release', async () => {
    const { lab } = stalledLab();
    await lab.sharedRelease('app/T-00', () => Promise.resolve({ namespace: 'n' } as unknown as Release));
    let attempts = 0;
    const body = (): void => {
      attempts += 1;
      fails();
    };
    const { result } = await executeCheck(
      fakeCheck('T-01', body, { release: 'shared', disruptive: true }),
      lab,
    );
    expect(result.status).toBe('errored');
    expect(attempts).toBe(1);
  });

  it('is errored without another attempt when the shared release is not ready: it is installed only once', async () => {
    const { lab, done } = stalledLab();
    const { result } = await executeCheck(fakeCheck('T-01', passes, { release: 'shared' }), lab);
    expect(result.status).toBe('errored');
    expect(done.filter((step) => step.startsWith('install'))).toHaveLength(1);
    // What rests on it is blocked by a check that proves nothing, so the run has no verdict.
    const next = await executeCheck(fakeCheck('T-02', passes, { release: 'shared' }), lab);
    expect(next.result).toMatchObject({ status: 'blocked', blockedBy: 'app/T-01' });
  });

  it('is errored without another attempt when the first one cannot be undone', async () => {
    const { result, attempts } = await run(async ({ lab, stall }) => {
      lab.defer('restore the node', () => Promise.reject(new Error('no')));
      await stall(12_000);
      fails();
    });
    expect(result.status).toBe('errored');
    expect(attempts).toBe(1);
  });

  it('is failed in spite of a stall when it reads rendered manifests only', async () => {
    const { result, attempts } = await run(
      async ({ stall }) => {
        await stall(12_000);
        fails();
      },
      { static: true },
    );
    expect(result.status).toBe('failed');
    expect(attempts).toBe(1);
  });
});

describe('a wait of a check', () => {
  it('that fails after a short stall is a failure: its limit did not count the stall', async () => {
    const { result, attempts } = await run(async ({ stall, wait }) => {
      await Promise.all([wait(Infinity), stall(10_000)]);
    });
    expect(result).toMatchObject({
      status: 'failed',
      reason:
        'waited 1 min 50 s (minus 10.0 s in which the machine was not able to work) for the rollout; last seen: 0 of 1',
    });
    expect(attempts).toBe(1);
  });

  it('that fails after a long stall is repeated, and says what it waited for', async () => {
    const { result, attempts } = await run(async ({ stall, wait }) => {
      await stall(40_000);
      await wait(Infinity);
    });
    // Before the wait.
    expect(result).toMatchObject({ status: 'failed' });
    expect(attempts).toBe(1);
    const during = await run(async ({ number, stall, wait }) => {
      await Promise.all([wait(number === 1 ? Infinity : 5), number === 1 && stall(40_000)]);
      passes();
    });
    expect(during.result).toMatchObject({
      status: 'passed',
      attempts: [{ because: 'the machine stalled for 40.0 s while the check waited for the rollout' }],
    });
  });

  it('that succeeds late on an overloaded machine passes, and is reported', async () => {
    const { result, attempts } = await run(async ({ wait }) => {
      await wait(140, 0.4);
      passes();
    });
    expect(result).toMatchObject({
      status: 'passed',
      extendedMs: 40_000,
      observed: [
        'waited 2 min 20 s for the rollout, longer than 1 min 40 s: the machine was not able to work for 56.0 s of it',
      ],
    });
    expect(attempts).toBe(1);
  });

  it('that fails although it got the time that an overloaded machine needs is a failure', async () => {
    const { result, attempts } = await run(({ wait }) => wait(Infinity, 0.4));
    expect(result).toMatchObject({ status: 'failed' });
    expect(result.reason).toMatch(/^waited 2 min 47 s \(minus 66\.\d s in which/);
    expect(attempts).toBe(1);
  });

  it('that never got its time is errored', async () => {
    const { result } = await run(({ wait }) => wait(Infinity, 0.8));
    expect(result.status).toBe('errored');
    expect(result.reason).toMatch(
      /^waited 5 min 00 s for the rollout, but the machine was able to work for only 60\.0 s/,
    );
  });
});

it('the limit of a check does not count lost time', async () => {
  const stalls = new StallLog(() => 0);
  stalls.add({ place: 'cores', from: 0, to: 100_000, lostMs: 50_000, stalled: false });
  const { lab, clock } = fakeLab({ deps: { stalls } });
  clock.patience = 5000;
  const check = fakeCheck('T-01', () => new Promise<never>(() => {}), { timeoutMs: 5000 });
  const { result } = await executeCheck(check, lab);
  expect(result).toMatchObject({ status: 'failed', reason: 'the check did not end within 5.0 s' });
  expect(result.durationMs).toBe(10_000);
});
