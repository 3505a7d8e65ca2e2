import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import type { PredicateResult } from '../predicates/result.ts';
import { sleepingClock } from '../../testing/sleeping-clock.ts';

const result = (ok: boolean, actual: string): PredicateResult => ({ ok, expected: 'all', actual });

describe('eventually', () => {
  it('returns the first result that is ok', async () => {
    const results = [result(false, 'none'), result(true, 'all'), result(false, 'none again')];
    const found = await eventually(() => Promise.resolve(results.shift()!), { clock: sleepingClock() });
    expect(found).toEqual(result(true, 'all'));
  });

  it('returns the last result when none is ok', async () => {
    let looks = 0;
    const look = (): Promise<PredicateResult> => Promise.resolve(result(false, `${(looks += 1)} looks`));
    const found = await eventually(look, { timeoutMs: 2000, clock: sleepingClock() });
    expect(found).toEqual(result(false, '5 looks'));
  });

  it('returns a result that is final at once', async () => {
    const final = { ...result(false, 'scaled by somebody'), isFinal: true as const };
    const results = [final, result(true, 'all')];
    expect(await eventually(() => Promise.resolve(results.shift()!), { clock: sleepingClock() })).toBe(final);
  });

  it('passes on an error of the predicate', async () => {
    const look = (): Promise<PredicateResult> => Promise.reject(new Error('no such Service'));
    await expect(eventually(look, { clock: sleepingClock() })).rejects.toThrow('no such Service');
  });
});
