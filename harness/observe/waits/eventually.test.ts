import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import type { PredicateResult } from '../predicates/result.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';

const verdict = (ok: boolean, actual: string): PredicateResult => ({ ok, expected: 'all', actual });

describe('eventually', () => {
  it('is the first verdict that holds', async () => {
    const verdicts = [verdict(false, 'none'), verdict(true, 'all'), verdict(false, 'none again')];
    const found = await eventually(() => Promise.resolve(verdicts.shift()!), { clock: sleepingClock() });
    expect(found).toEqual(verdict(true, 'all'));
  });

  it('is the last one when none holds, to be judged like any other', async () => {
    let asked = 0;
    const ask = (): Promise<PredicateResult> => Promise.resolve(verdict(false, `${(asked += 1)} asked`));
    const found = await eventually(ask, { timeoutMs: 2000, clock: sleepingClock() });
    expect(found).toEqual(verdict(false, '5 asked'));
  });

  it('has no excuse for a question that cannot be asked', async () => {
    const ask = (): Promise<PredicateResult> => Promise.reject(new Error('no such Service'));
    await expect(eventually(ask, { clock: sleepingClock() })).rejects.toThrow('no such Service');
  });
});
