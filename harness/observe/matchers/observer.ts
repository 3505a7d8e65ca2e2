/**
 * Who is told of every verdict that a matcher reached. It belongs to the asynchronous context, so that checks that run side
 * by side do not get each other's.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Verdict } from '../predicates/result.ts';

export type VerdictSink = (verdict: Verdict) => void;

const current = new AsyncLocalStorage<VerdictSink>();

/** Runs `body`; `sink` gets each verdict that was reached in it, also the passing ones. */
export function observeVerdicts<T>(sink: VerdictSink, body: () => Promise<T>): Promise<T> {
  return current.run(sink, body);
}

export function reportVerdict(verdict: Verdict): void {
  current.getStore()?.(verdict);
}
