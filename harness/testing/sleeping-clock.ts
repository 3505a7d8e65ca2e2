import type { Clock } from '../core/deadline.ts';

/** A clock whose time passes only by sleeping. Sleeps return immediately. */
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
