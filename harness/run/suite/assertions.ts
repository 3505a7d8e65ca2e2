/**
 * Counts the assertions of a check, because a check without assertions must fail. Checks run concurrently, so the count belongs to the
 * asynchronous context, not to the worker.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect as vitestExpect } from 'vitest';
import { installMatchers } from '../../observe/matchers/install.ts';

interface Counter {
  count: number;
}

const current = new AsyncLocalStorage<Counter>();

/** Runs `body`; `counter` has the number of its assertions, also when it throws. */
export function countAssertions<T>(counter: Counter, body: () => Promise<T>): Promise<T> {
  return current.run(counter, body);
}

installMatchers(vitestExpect);

/** vitest reports soft assertions only at the end of the test, when the check has already been reported as passed. */
function refuseSoft(): never {
  throw new Error('expect.soft cannot be used in checks: it fails too late for diagnosis');
}

/** vitest's `expect` with the matchers of the harness; counts assertions. Suites import this one. */
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
