/** Looks again and again beside what else goes on, for what is over too soon to be met by a single look. */
import type { Clock } from './deadline.ts';

export interface Sampling<T> {
  /** Those of `stop`, as far as they have been taken. */
  readonly samples: readonly T[];
  /** All samples, in order. */
  stop(): Promise<T[]>;
}

/**
 * Starts at once and goes on until it is stopped, or `signal` aborts. A look that fails, or sees nothing, is left out.
 *
 * @param look is given the time of the look, in milliseconds since the epoch; `undefined` when there was nothing to see
 */
export function sampleUntilStopped<T>(
  look: (at: number) => Promise<T | undefined>,
  deps: {
    everyMs: number;
    clock: Clock;
    signal?: AbortSignal | undefined;
    onError?: (error: unknown) => void;
  },
): Sampling<T> {
  const { everyMs, clock, onError } = deps;
  const stopped = new AbortController();
  const signal = AbortSignal.any([stopped.signal, ...(deps.signal ? [deps.signal] : [])]);
  const samples: T[] = [];

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const sample = await look(clock.now());
        if (sample !== undefined) samples.push(sample);
      } catch (error) {
        onError?.(error);
      }
      // Rejects when it is over, which the loop sees by itself.
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }

  const running = run();
  return {
    samples,
    async stop() {
      stopped.abort();
      await running;
      return samples;
    },
  };
}
