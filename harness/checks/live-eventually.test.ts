import { describe, expect, it } from 'vitest';
import type { Clock } from '../core/deadline.ts';
import { eventually } from './live-eventually.ts';
import type { Verdict } from './verdict.ts';

const verdict = (ok: boolean, actual: string): Verdict => ({ ok, expected: 'all', actual });

/** Time that passes only by sleeping. */
function fakeClock(): Clock {
  let time = 0;
  return {
    now: () => time,
    sleep: (ms) => {
      time += ms;
      return Promise.resolve();
    },
  };
}

describe('eventually', () => {
  it('is the first verdict that holds', async () => {
    const verdicts = [verdict(false, 'none'), verdict(true, 'all'), verdict(false, 'none again')];
    const found = await eventually(() => Promise.resolve(verdicts.shift()!), { clock: fakeClock() });
    expect(found).toEqual(verdict(true, 'all'));
  });

  it('is the last one when none holds, to be judged like any other', async () => {
    let asked = 0;
    const ask = (): Promise<Verdict> => Promise.resolve(verdict(false, `${(asked += 1)} asked`));
    const found = await eventually(ask, { timeoutMs: 2000, clock: fakeClock() });
    expect(found).toEqual(verdict(false, '5 asked'));
  });

  it('has no excuse for a question that cannot be asked', async () => {
    const ask = (): Promise<Verdict> => Promise.reject(new Error('no such Service'));
    await expect(eventually(ask, { clock: fakeClock() })).rejects.toThrow('no such Service');
  });
});
