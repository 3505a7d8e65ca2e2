/**
 * Who is told of every verdict that a matcher reached. It belongs to the asynchronous context, so that checks that run side
 * by side do not get each other's.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { PredicateResult } from '../predicates/result.ts';

export type ResultSink = (verdict: PredicateResult) => void;

const current = new AsyncLocalStorage<ResultSink>();

/** Runs `body`; `sink` gets each verdict that was reached in it, also the passing ones. */
export function observeResults<T>(sink: ResultSink, body: () => Promise<T>): Promise<T> {
  return current.run(sink, body);
}

export function reportResult(verdict: PredicateResult): void {
  current.getStore()?.(verdict);
}
