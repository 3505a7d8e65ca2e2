/**
 * Receives every predicate result that a matcher settles. The sink belongs to the asynchronous context, so that parallel checks do not
 * receive each other's results.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { PredicateResult } from '../predicates/result.ts';

type ResultSink = (result: PredicateResult) => void;

const current = new AsyncLocalStorage<ResultSink>();

/** Runs `body` and passes each result that is settled in it to `sink`, passing ones included. */
export function observeResults<T>(sink: ResultSink, body: () => Promise<T>): Promise<T> {
  return current.run(sink, body);
}

export function reportResult(result: PredicateResult): void {
  current.getStore()?.(result);
}
