/** Calls a function periodically while phases or checks are running. */
import type { Clock } from '../../../core/deadline.ts';

export interface Ticker {
  start(): void;
  /** Ends immediately; a stopped ticker does not keep the process alive. */
  stop(): void;
}

export function createTicker(clock: Clock, everyMs: number, onTick: () => void): Ticker {
  let running: AbortController | undefined;
  return {
    start() {
      if (running) return;
      running = new AbortController();
      void tickUntil(running.signal, clock, everyMs, onTick);
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
    // Stopped, or the stream is broken; the next event reports a broken stream.
  }
}
