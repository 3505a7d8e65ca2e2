import { describe, expect, it } from 'vitest';
import { consistently } from './consistently.ts';

describe('consistently', () => {
  it('runs all rounds after a bad one, and counts a failed request as no answer', async () => {
    let round = 0;
    const clock = { now: () => 0, sleep: () => Promise.resolve() };
    const ask = () =>
      ++round === 2 ? Promise.reject(new Error('refused')) : Promise.resolve([{ what: '/h', status: 200 }]);
    expect(await consistently({ count: 4, intervalMs: 10, clock, ask })).toMatchObject({
      ok: false,
      actual: '3 of 4 answers 200',
      details: ['refused: 0 (×1)'],
    });
  });
});
