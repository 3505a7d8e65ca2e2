import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { callScope } from './call-scope.ts';
import { InterruptedError } from './errors.ts';

describe('callScope', () => {
  it.each([0, 1])('ends with signal %i and its reason', (index) => {
    const controllers = [new AbortController(), new AbortController()];
    const scope = callScope([undefined, ...controllers.map((c) => c.signal)]);
    const reason = new InterruptedError('interrupted by SIGINT');
    controllers[index]!.abort(reason);
    expect(scope.signal.reason).toBe(reason);
    expect(scope.expired()).toBe(false);
    expect(() => scope.throwIfInterrupted()).toThrow(reason);
  });

  it('ends with a signal that has already aborted', () => {
    expect(callScope([AbortSignal.abort()]).signal.aborted).toBe(true);
  });

  it('expires at its deadline', async () => {
    const scope = callScope([], 10);
    await new Promise((resolve) => scope.signal.addEventListener('abort', resolve));
    expect(scope.expired()).toBe(true);
    expect(() => scope.throwIfInterrupted()).not.toThrow();
  });

  it('leaves no listener on its signals after dispose', () => {
    const { signal } = new AbortController();
    const scope = callScope([signal], 1000);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    scope.dispose();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
