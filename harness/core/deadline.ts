/**
 * Time limits and waiting. The only place with timers: everything that waits takes a deadline and a signal, and ends
 * with the last state that it saw.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CheckFailure, InterruptedError } from './errors.ts';

/** Source of time, in milliseconds since the epoch; replaced in unit tests. */
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
 * The promise's result, or InterruptedError as soon as the signal aborts: for what does not listen to it. The promise is left to itself.
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
  // Whichever comes second has nobody who listens.
  for (const one of [promise, interrupted]) one.catch(() => {});
  try {
    return await Promise.race([interrupted, promise]);
  } finally {
    settled.abort();
  }
}

/** What one look at the awaited thing showed. */
export type Observation<T> =
  | { done: true; value: T }
  /** Not yet; `seen` is the state in the reader's words ("2 of 3 replicas available"). */
  | { done: false; seen: string }
  /** It can never come true any more: waiting on would only hide the reason. */
  | { done: false; seen: string; hopeless: string };

export interface WaitOptions<T> {
  /** What is waited for, completing the sentence "waited for …". */
  what: string;
  timeoutMs: number;
  /** Pause between two looks; default 250 ms. */
  intervalMs?: number;
  signal?: AbortSignal | undefined;
  clock?: Clock;
  look: () => Promise<Observation<T>>;
}

/** The awaited state did not come; carries every distinct state that was seen, with its time since the start. */
export class WaitTimeout extends CheckFailure {
  readonly history: readonly { afterMs: number; seen: string }[];
  readonly waitedMs: number;
  /** Why waiting on could not have helped; `undefined` when the time was over. */
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
 * Looks at something until it is done, hopeless, or the time is over.
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

/** Milliseconds in the form that all output uses: `0.4 s`, `12.3 s`, `2 min 05 s`. */
export function seconds(ms: number): string {
  const s = ms / 1000;
  if (s < 99.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
