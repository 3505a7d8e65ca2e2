/** The life of one call: it ends by the caller's signal, by the client's closing, or by its deadline. */
import { throwIfAborted } from '../../core/deadline.ts';

export interface CallScope {
  /** Handed to whatever does the work. */
  signal: AbortSignal;
  /** `true` when the deadline, and not a person, ended the call. */
  expired(): boolean;
  /** Throws InterruptedError when a person, and not the deadline, ended the call. */
  throwIfInterrupted(): void;
  /** To be called when the call is over, or long-lived signals would collect listeners. */
  dispose(): void;
}

/**
 * Joins signals and a deadline.
 *
 * Not `AbortSignal.any`: its result hangs on long-lived signals until it is collected, and a run makes thousands of calls.
 *
 * @param timeoutMs without it the call has no deadline of its own
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
  const timer = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  timer?.addEventListener('abort', expire, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    throwIfInterrupted: () => {
      for (const signal of given) throwIfAborted(signal);
    },
    dispose: () => {
      for (const signal of given) signal.removeEventListener('abort', stop);
      timer?.removeEventListener('abort', expire);
    },
  };
}
