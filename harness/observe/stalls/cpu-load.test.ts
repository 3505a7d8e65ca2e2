import { describe, expect, it } from 'vitest';
import { CpuLoad, parseCounters } from './cpu-load.ts';
import { StallLog } from './stall-log.ts';

const stat = (user: number, nice: number, idle: number, running: number): string =>
  [
    `cpu  ${user} ${nice} 0 ${idle} 0 0 0 0 0 0`,
    'cpu0 1 0 0 0 0 0 0 0 0 0',
    'cpu1 1 0 0 0 0 0 0 0 0 0',
    'ctxt 1',
    `procs_running ${running}`,
    '',
  ].join('\n');

/** Lost time of 10 s on two cores; the counters advance in each second by these shares. */
function lostWith({ running, busy, nice = 0 }: { running: number; busy: number; nice?: number }): number {
  const log = new StallLog(() => 10_000);
  let second = 0;
  const load = new CpuLoad(log, () => {
    const ticks = second * 200;
    return stat(ticks * busy, ticks * nice, ticks * (1 - busy - nice), running);
  });
  for (; second <= 10; second += 0.25) load.observe(second * 1000);
  return log.between(0, 10_000);
}

describe('the load of the cores', () => {
  it.each([
    ['an idle machine', { running: 1, busy: 0.05 }, 0],
    ['two running programs for each core, which is normal', { running: 5, busy: 1 }, 0],
    ['twice the normal load', { running: 9, busy: 1 }, 5000],
    ['four times the normal load', { running: 17, busy: 1 }, 7500],
    ['many programs of low priority, which give way', { running: 17, busy: 0.4, nice: 0.6 }, 0],
    ['many programs that start and end while cores are free', { running: 17, busy: 0.5 }, 0],
  ])('of %s: %o loses %i of 10 000 ms', (_, load, lost) => {
    expect(lostWith(load)).toBeCloseTo(lost);
  });

  it.each([
    ['no such file', ''],
    ['another format', 'cpu 1 2\nprocs_running x'],
    ['no load', 'cpu  1 2 3 4 5 6 7 8\ncpu0 1'],
  ])('is unknown with %s', (_, text) => {
    expect(parseCounters(text)).toBeUndefined();
  });

  it('is read from the format of the kernel', () => {
    const text =
      'cpu  1885636 24175 853309 315169 4935 0 27146 40800 0 0\ncpu0 947619 10881 423962 163070 1292 0 9780 19475 0 0\n' +
      'cpu1 938017 13294 429347 152098 3642 0 17365 21325 0 0\nintr 1\nprocs_running 6\nprocs_blocked 0\n';
    expect(parseCounters(text)).toEqual({ total: 3_151_170, free: 344_279, cores: 2, running: 6 });
  });
});
