/** Time limits and waiting. The only file with timers: every wait takes a deadline and a signal, and reports the last state seen. */
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';
import { CheckFailure, InfrastructureError, InterruptedError } from './errors.ts';
import { Budget, type BudgetState } from './lost-time.ts';

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

/**
 * Calls `act` after `ms` milliseconds, unless the returned function is called before. Does not keep the process alive. For deadlines of
 * frequent calls: each `AbortSignal.timeout` stays until its time has passed, even if its call has long ended.
 */
export function startTimer(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  timer.unref();
  return () => clearTimeout(timer);
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

/**
 * The promise's result, or the error of `late` as soon as `ms` have passed, without lost time. For work that may never end: it continues
 * unobserved.
 *
 * @param late gets how much of the time was lost; `end` is `exhausted` when it was too much
 */
export async function endWithin<T>(
  ms: number,
  promise: Promise<T>,
  late: (state: BudgetState) => Error,
  clock: Clock = systemClock,
): Promise<T> {
  const over = new AbortController();
  const budget = new Budget(ms, clock.now());
  const limit = (async (): Promise<never> => {
    for (;;) {
      const state = budget.at(clock.now());
      if (state.end !== undefined) throw late(state);
      await clock.sleep(state.leftMs, over.signal);
    }
  })();
  // The slower of the two has no listener.
  for (const one of [promise, limit]) one.catch(() => {});
  try {
    return await Promise.race([promise, limit]);
  } finally {
    over.abort();
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
  /** Lost time does not count. */
  timeoutMs: number;
  /** Pause between polls; default 250 ms. */
  intervalMs?: number;
  signal?: AbortSignal | undefined;
  clock?: Clock;
  /** @param now ms since the epoch, less the time lost since the start: for states that are final when they have lasted long enough */
  look: (now: number) => Promise<Observation<T>>;
}

/** When a wait started and how it went, ms since the epoch. */
interface WaitSpan {
  startedAt: number;
  waitedMs: number;
  /** Part of it in which the machine was not able to work. */
  lostMs: number;
}

/** The condition did not become true. `history` has every distinct state seen, with its time since the start. */
export class WaitTimeout extends CheckFailure {
  readonly history: readonly { afterMs: number; seen: string }[];
  /** For people: how long, and how much of it was lost. */
  readonly waited: string;
  /** Why the wait ended early; `undefined` after a timeout. */
  readonly hopeless: string | undefined;
  constructor(
    what: string,
    { startedAt, waitedMs, lostMs }: WaitSpan,
    history: { afterMs: number; seen: string }[],
    hopeless?: string,
  ) {
    const last = history.at(-1)?.seen ?? 'nothing';
    const why = hopeless === undefined ? '' : ` (gave up early: ${hopeless})`;
    super('E_WAIT_TIMEOUT', `waited ${waitedText(waitedMs, lostMs)} for ${what}; last seen: ${last}${why}`, {
      details: { what, startedAt, waitedMs, lostMs, history, hopeless },
    });
    this.history = history;
    this.waited = waitedText(waitedMs, lostMs);
    this.hopeless = hopeless;
  }
}

/** `52.1 s`, or `4 min 10 s (minus 1 min 40 s in which the machine was not able to work)`. */
function waitedText(waitedMs: number, lostMs: number): string {
  if (lostMs < 1000) return seconds(waitedMs);
  return `${seconds(waitedMs)} (minus ${seconds(lostMs)} in which the machine was not able to work)`;
}

/**
 * Something did not happen, but the machine was not able to work for as long as the limit allows, although the limit was extended. So
 * nothing is known.
 */
export class MachineTooSlow extends InfrastructureError {
  constructor(what: string, { elapsedMs, lostMs }: BudgetState, limitMs: number, seen?: string) {
    super(
      'E_MACHINE_TOO_SLOW',
      `waited ${seconds(elapsedMs)} for ${what}, but the machine was able to work for only ${seconds(elapsedMs - lostMs)} of it, less than the limit of ${seconds(limitMs)}${seen === undefined ? '' : `; last seen: ${seen}`}`,
      { hint: 'Run again when the machine does nothing else, or on one with more cores.' },
    );
  }
}

/**
 * Polls until the observation is done or hopeless, or the time is over. Lost time does not count (see LostTimeAccount).
 *
 * @returns the observed value
 * @throws WaitTimeout with the last state seen; MachineTooSlow when too much time was lost; InterruptedError when the signal aborts;
 * whatever `look` throws
 */
export async function waitFor<T>(options: WaitOptions<T>): Promise<T> {
  const { what, timeoutMs } = options;
  const clock = options.clock ?? systemClock;
  const startedAt = clock.now();
  const budget = new Budget(timeoutMs, startedAt);
  const history: { afterMs: number; seen: string }[] = [];
  for (;;) {
    throwIfAborted(options.signal);
    const before = clock.now();
    const observation = await options.look(before - budget.at(before).lostMs);
    const state = budget.at(clock.now());
    if (observation.done) {
      budget.succeeded(state, () => {
        const { elapsedMs, lostMs } = state;
        return `waited ${seconds(elapsedMs)} for ${what}, longer than ${seconds(timeoutMs)}: the machine was not able to work for ${seconds(lostMs)} of it`;
      });
      return observation.value;
    }
    const { elapsedMs, lostMs, leftMs, end } = state;
    const { seen } = observation;
    if (history.at(-1)?.seen !== seen) history.push({ afterMs: elapsedMs, seen });
    const span = { startedAt, waitedMs: elapsedMs, lostMs };
    if ('hopeless' in observation) throw new WaitTimeout(what, span, history, observation.hopeless);
    if (end === 'spent') throw new WaitTimeout(what, span, history);
    if (end === 'exhausted') throw new MachineTooSlow(what, state, timeoutMs, seen);
    await clock.sleep(Math.min(options.intervalMs ?? 250, leftMs), options.signal);
  }
}

/** A duration as all output shows it: `0.4 s`, `12.3 s`, `2 min 05 s`. */
export function seconds(ms: number): string {
  const s = ms / 1000;
  if (s < 99.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
