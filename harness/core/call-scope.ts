/** The lifetime of one call: it ends at its deadline, or when one of its signals aborts. */
import { startTimer, throwIfAborted } from './deadline.ts';

export interface CallScope {
  /** Pass this to the work. */
  signal: AbortSignal;
  /** Whether the deadline, and not one of the signals, ended the call. */
  expired(): boolean;
  /** Throws InterruptedError when one of the signals ended the call. */
  throwIfInterrupted(): void;
  /** Call this when the work has ended: it removes the listeners from the signals. */
  dispose(): void;
}

/**
 * Joins signals and a deadline.
 *
 * Use it for frequent calls. `AbortSignal.any` leaks: on Node 20 a long-lived signal keeps an entry for every signal derived from it
 * (measured with 20.20: 50 bytes each, and 1.2 kB when the derived signal still has a listener). A few derived signals per run are fine.
 *
 * @param timeoutMs default: no deadline
 */
export function callScope(signals: readonly (AbortSignal | undefined)[], timeoutMs?: number): CallScope {
  const given = signals.filter((s) => s !== undefined);
  const controller = new AbortController();
  let expired = false;
  const stop = (event: Event): void => {
    controller.abort((event.target as AbortSignal).reason);
  };
  const expire = (): void => {
    if (controller.signal.aborted) return;
    expired = true;
    controller.abort(new DOMException(`not done within ${String(timeoutMs)} ms`, 'TimeoutError'));
  };
  for (const signal of given) {
    if (signal.aborted) controller.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  }
  const stopTimer = timeoutMs === undefined ? undefined : startTimer(timeoutMs, expire);
  return {
    signal: controller.signal,
    expired: () => expired,
    throwIfInterrupted: () => {
      for (const signal of given) throwIfAborted(signal);
    },
    dispose: () => {
      for (const signal of given) signal.removeEventListener('abort', stop);
      stopTimer?.();
    },
  };
}
