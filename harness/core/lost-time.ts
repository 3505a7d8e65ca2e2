/**
 * Lost time: time in which the machine was not able to work, because it stalled or because other programs used its cores. Limits of waits
 * count the other time only: what a subject does within its limit must not depend on what else the machine does.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Tells how much time was lost. Times are in ms since the epoch. */
export interface LostTime {
  /** Milliseconds between the two times in which the machine was not able to work. */
  between(from: number, to: number): number;
}

/** Who counts the lost time of a piece of work, and who hears of its consequences. */
export interface LostTimeAccount {
  lostTime: LostTime;
  /** A wait succeeded `extraMs` after its limit. `text` says so in a sentence. */
  onExtension?: (text: string, extraMs: number) => void;
}

/** How often its limit a wait lasts at most, with all lost time. */
export const LONGEST_EXTENSION = 3;

/** Checks run concurrently, so the account belongs to the asynchronous context, not to the worker. */
const current = new AsyncLocalStorage<LostTimeAccount | undefined>();

/** Runs `body`: waits in it do not count lost time against their limits. Without an account, a limit is one by the clock. */
export function withLostTime<T>(account: LostTimeAccount | undefined, body: () => Promise<T>): Promise<T> {
  return current.run(account, body);
}

export interface BudgetState {
  elapsedMs: number;
  lostMs: number;
  /** Until the budget has to be examined again. */
  leftMs: number;
  /**
   * - `spent`: the machine was able to work for the whole limit.
   * - `exhausted`: it was not, even in LONGEST_EXTENSION times the limit, so nothing follows from what did not happen.
   */
  end: 'spent' | 'exhausted' | undefined;
}

/** A limit in time that the machine is able to work. It uses the account of the asynchronous context in which it was created. */
export class Budget {
  readonly #limitMs: number;
  readonly #startedAt: number;
  readonly #account = current.getStore();

  constructor(limitMs: number, startedAt: number) {
    this.#limitMs = limitMs;
    this.#startedAt = startedAt;
  }

  at(now: number): BudgetState {
    const elapsedMs = now - this.#startedAt;
    const lost = this.#account?.lostTime.between(this.#startedAt, now) ?? 0;
    const lostMs = Math.min(Math.max(lost, 0), Math.max(elapsedMs, 0));
    const workMs = this.#limitMs - (elapsedMs - lostMs);
    const restMs = this.#limitMs * LONGEST_EXTENSION - elapsedMs;
    const end = workMs <= 0 ? 'spent' : restMs <= 0 ? 'exhausted' : undefined;
    return { elapsedMs, lostMs, leftMs: Math.max(0, Math.min(workMs, restMs)), end };
  }

  /** Reports a success that came after the limit, thanks to lost time. */
  succeeded({ elapsedMs, lostMs }: BudgetState, describe: () => string): void {
    const extraMs = elapsedMs - this.#limitMs;
    if (extraMs > 0 && lostMs > 0) this.#account?.onExtension?.(describe(), extraMs);
  }
}
