/** Calls a function again and again while something is going on. */
import type { Clock } from '../../../core/deadline.ts';

export interface Ticker {
  start(): void;
  /** Ends at once; a stopped ticker does not keep the process alive. */
  stop(): void;
}

export function createTicker(clock: Clock, everyMs: number, onTick: () => void): Ticker {
  let running: AbortController | undefined;
  return {
    start() {
      if (running) return;
      const own = new AbortController();
      running = own;
      void tickUntil(own.signal, clock, everyMs, onTick);
    },
    stop() {
      running?.abort();
      running = undefined;
    },
  };
}

async function tickUntil(signal: AbortSignal, clock: Clock, everyMs: number, onTick: () => void) {
  try {
    for (;;) {
      await clock.sleep(everyMs, signal);
      if (signal.aborted) return;
      onTick();
    }
  } catch {
    // Aborted: the ticker was stopped.
  }
}
