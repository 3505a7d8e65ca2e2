/** Time limits and waiting. The only file with timers: every wait takes a deadline and a signal, and reports the last state seen. */
import { setTimeout as delay } from 'node:timers/promises';
import { CheckFailure, InterruptedError } from './errors.ts';

/** Source of time, in milliseconds since the epoch. Unit tests replace it. */
export interface Clock {
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with InterruptedError when the signal aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      if (signal?.aborted) throw asInterrupted(signal);
      throw error;
    }
  },
};

function asInterrupted(signal: AbortSignal): InterruptedError {
  return signal.reason instanceof InterruptedError ? signal.reason : new InterruptedError();
}

/** Throws InterruptedError when the signal has been aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw asInterrupted(signal);
}

/**
 * The promise's result, or InterruptedError as soon as the signal aborts. For work that ignores the signal: it continues unobserved.
 */
export async function orInterrupted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const settled = new AbortController();
  const interrupted = new Promise<never>((_, reject) => {
    const stop = (): void => {
      reject(asInterrupted(signal));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { signal: settled.signal });
  });
  // The loser of the race may reject without a handler.
  for (const one of [promise, interrupted]) one.catch(() => {});
  try {
    return await Promise.race([interrupted, promise]);
  } finally {
    settled.abort();
  }
}

/** The result of one poll. */
export type Observation<T> =
  | { done: true; value: T }
  /** `seen` describes the current state: "2 of 3 replicas available". */
  | { done: false; seen: string }
  /** The condition cannot become true any more; `hopeless` is the reason. */
  | { done: false; seen: string; hopeless: string };

export interface WaitOptions<T> {
  /** Completes the sentence "waited for …". */
  what: string;
  timeoutMs: number;
  /** Pause between polls; default 250 ms. */
  intervalMs?: number;
  signal?: AbortSignal | undefined;
  clock?: Clock;
  look: () => Promise<Observation<T>>;
}

/** The condition did not become true. `history` has every distinct state seen, with its time since the start. */
export class WaitTimeout extends CheckFailure {
  readonly history: readonly { afterMs: number; seen: string }[];
  readonly waitedMs: number;
  /** Why the wait ended early; `undefined` after a timeout. */
  readonly hopeless: string | undefined;
  constructor(
    what: string,
    waitedMs: number,
    history: { afterMs: number; seen: string }[],
    hopeless?: string,
  ) {
    const last = history.at(-1)?.seen ?? 'nothing';
    const why = hopeless === undefined ? '' : ` (gave up early: ${hopeless})`;
    super('E_WAIT_TIMEOUT', `waited ${seconds(waitedMs)} for ${what}; last seen: ${last}${why}`, {
      details: { what, waitedMs, history, hopeless },
    });
    this.history = history;
    this.waitedMs = waitedMs;
    this.hopeless = hopeless;
  }
}

/**
 * Polls until the observation is done or hopeless, or the time is over.
 *
 * @returns the observed value
 * @throws WaitTimeout with the last state seen; InterruptedError when the signal aborts; whatever `look` throws
 */
export async function waitFor<T>(options: WaitOptions<T>): Promise<T> {
  const clock = options.clock ?? systemClock;
  const start = clock.now();
  const history: { afterMs: number; seen: string }[] = [];
  for (;;) {
    throwIfAborted(options.signal);
    const observation = await options.look();
    if (observation.done) return observation.value;
    const afterMs = clock.now() - start;
    if (history.at(-1)?.seen !== observation.seen) history.push({ afterMs, seen: observation.seen });
    if ('hopeless' in observation) {
      throw new WaitTimeout(options.what, afterMs, history, observation.hopeless);
    }
    if (afterMs >= options.timeoutMs) throw new WaitTimeout(options.what, afterMs, history);
    const pause = Math.min(options.intervalMs ?? 250, options.timeoutMs - afterMs);
    await clock.sleep(pause, options.signal);
  }
}

/** A duration as all output shows it: `0.4 s`, `12.3 s`, `2 min 05 s`. */
export function seconds(ms: number): string {
  const s = ms / 1000;
  if (s < 99.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
