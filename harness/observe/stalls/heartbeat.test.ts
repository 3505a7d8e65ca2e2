import { describe, expect, it } from 'vitest';
import { Heartbeat, type Pulse } from './heartbeat.ts';
import type { Loss } from './stall-log.ts';

/** Beats after each of these times: how much they advance wall clock, monotonic clock and CPU time. */
function beats(...steps: Pulse[]): Loss[] {
  const losses: Loss[] = [];
  let pulse: Pulse = { wall: 1_000_000, monotonic: 50, cpu: 0 };
  const heartbeat = new Heartbeat({ add: (loss) => void losses.push(loss) }, () => pulse);
  for (const { wall, monotonic, cpu } of steps) {
    pulse = { wall: pulse.wall + wall, monotonic: pulse.monotonic + monotonic, cpu: pulse.cpu + cpu };
    heartbeat.observe();
  }
  return losses;
}
const after = (ms: number, cpu = 1): Pulse => ({ wall: ms, monotonic: ms, cpu });

describe('a heartbeat', () => {
  it('sees nothing when it comes in time, or when someone asks in between', () => {
    expect(beats(after(250), after(100), after(40), after(110), after(300))).toEqual([]);
  });

  it('records a stall of 12 s', () => {
    expect(beats(after(250), after(12_250), after(250))).toEqual([
      { place: 'machine', from: 1_000_500, to: 1_012_500, lostMs: 12_000, stalled: true },
    ]);
  });

  it('records less than 2 s as lost time, not as a stall', () => {
    expect(beats(after(1250))).toMatchObject([{ lostMs: 1000, stalled: false }]);
  });

  it('records that the machine was suspended: only the wall clock went on', () => {
    expect(beats({ wall: 3_600_250, monotonic: 250, cpu: 1 })).toMatchObject([
      { lostMs: 3_600_000, stalled: true },
    ]);
  });

  it('ignores a wall clock that was set back', () => {
    expect(beats({ wall: -60_000, monotonic: 250, cpu: 1 })).toEqual([]);
  });

  it('does not take its own work for a stall', () => {
    expect(beats(after(5000, 4000))).toEqual([]);
  });
});
