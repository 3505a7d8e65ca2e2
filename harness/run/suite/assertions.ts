/**
 * Counts the assertions of a check. A check that asserted nothing must fail, also when checks run side by side, so the count
 * belongs to the asynchronous context and not to the worker.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect as vitestExpect } from 'vitest';
import { installMatchers } from '../../observe/matchers/install.ts';

interface Counter {
  count: number;
}

const current = new AsyncLocalStorage<Counter>();

/** Runs `body` and returns how many assertions it made; the count so far is in `counter` when it throws. */
export function countAssertions<T>(counter: Counter, body: () => Promise<T>): Promise<T> {
  return current.run(counter, body);
}

installMatchers(vitestExpect);

/** vitest keeps what a soft assertion found to itself until the test ends: the check would have been reported as passed. */
function refuseSoft(): never {
  throw new Error('expect.soft cannot be used in checks: it fails too late to be diagnosed');
}

/** vitest's `expect` with all matchers of the harness, counted. Suites import this one. */
export const expect: typeof vitestExpect = new Proxy(vitestExpect, {
  apply(target, thisArgument, args: Parameters<typeof vitestExpect>) {
    const counter = current.getStore();
    if (counter) counter.count += 1;
    return Reflect.apply(target, thisArgument, args) as unknown;
  },
  get(target, name, receiver) {
    if (name === 'soft') return refuseSoft;
    return Reflect.get(target, name, receiver) as unknown;
  },
});
