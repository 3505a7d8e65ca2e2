/** For unit tests of what waits. */
import type { Clock } from '../core/deadline.ts';

/** Time that passes only by sleeping, which is over at once. */
export function sleepingClock(start = 0): Clock {
  let time = start;
  return {
    now: () => time,
    sleep: (ms) => {
      time += ms;
      return Promise.resolve();
    },
  };
}
