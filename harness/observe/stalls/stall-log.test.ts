import { describe, expect, it } from 'vitest';
import { joinStalls, type Loss, stalledMs, StallLog } from './stall-log.ts';

const stall = (place: string, from: number, to: number): Loss => ({
  place,
  from,
  to,
  lostMs: to - from,
  stalled: true,
});
const slow = (from: number, to: number, lostMs: number): Loss => ({
  place: 'cores',
  from,
  to,
  lostMs,
  stalled: false,
});

function logOf(...losses: Loss[]): StallLog {
  const log = new StallLog(() => 0);
  for (const loss of losses) log.add(loss);
  return log;
}

describe('the lost time of a span', () => {
  it.each<[string, Loss[], number]>([
    ['without losses is none', [], 0],
    ['is the part of a stall in it', [stall('machine', -500, 500)], 500],
    ['is a share of a slow span', [slow(-1000, 1000, 800)], 400],
    ['counts stalls of two places once', [stall('machine', 100, 500), stall('API server', 200, 600)], 500],
    ['counts a stall in a slow span in full', [slow(0, 1000, 500), stall('machine', 0, 400)], 400 + 300],
    ['has nothing from another time', [stall('machine', 1000, 9000), stall('machine', -10, 0)], 0],
    ['is never longer than the span', [{ ...slow(0, 1000, 5000) }], 1000],
  ])('%s', (_, losses, lost) => {
    expect(logOf(...losses).between(0, 1000)).toBeCloseTo(lost);
  });

  it('stays the same when slow spans are joined', () => {
    const spans = Array.from({ length: 100 }, (_, i) => slow(i * 2000, i * 2000 + 2000, 1000));
    expect(logOf(...spans).between(0, 200_000)).toBeCloseTo(100_000);
    expect(logOf(...spans).between(60_000, 62_000)).toBeCloseTo(1000);
  });

  it('includes what a source observes at the time of the question', () => {
    const log = new StallLog(() => 700);
    log.observe({ observe: (now) => [stall('API server', 200, now)] });
    expect(log.between(0, 1000)).toBe(500);
    expect(log.stalls(0, 1000)).toEqual([{ place: 'API server', from: 200, to: 700 }]);
  });
});

describe('stalls', () => {
  it('are those that overlap the span, in full length, without what was only slow', () => {
    const log = logOf(stall('machine', 0, 10), stall('machine', 20, 30), slow(20, 30, 9));
    expect(log.stalls(25, 40)).toEqual([{ place: 'machine', from: 20, to: 30 }]);
    expect(log.stalls()).toHaveLength(2);
  });

  it('of one place are joined when they overlap', () => {
    expect(
      joinStalls([
        stall('machine', 4, 9),
        stall('machine', 1, 5),
        stall('node a', 2, 3),
        stall('machine', 20, 21),
      ]),
    ).toMatchObject([
      { place: 'machine', from: 1, to: 9 },
      { place: 'node a', from: 2, to: 3 },
      { place: 'machine', from: 20, to: 21 },
    ]);
  });

  it('add up without counting a time twice', () => {
    expect(stalledMs([stall('machine', 0, 10), stall('node a', 5, 20)], 2, 100)).toBe(18);
  });
});
