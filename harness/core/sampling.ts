/** Samples a value in the background, to catch states that are too short for a single read. */
import { callScope } from './call-scope.ts';
import type { Clock } from './deadline.ts';

export interface Sampling<T> {
  /** The samples so far. */
  readonly samples: readonly T[];
  /** Stops sampling and returns all samples, in order. */
  stop(): Promise<T[]>;
}

/**
 * Samples until `stop()` is called or `signal` aborts. A failed or undefined sample is dropped.
 *
 * @param look takes one sample; its argument is the time in ms since the epoch
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
  const scope = callScope([stopped.signal, deps.signal]);
  const { signal } = scope;
  const samples: T[] = [];

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const sample = await look(clock.now());
        if (sample !== undefined) samples.push(sample);
      } catch (error) {
        onError?.(error);
      }
      // Rejects on abort, which ends the loop.
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }

  const running = run().finally(() => scope.dispose());
  return {
    samples,
    async stop() {
      stopped.abort();
      await running;
      return samples;
    },
  };
}
