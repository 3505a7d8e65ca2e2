import { describe, expect, it } from 'vitest';
import { silentLog } from '../../core/log.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { ApiError } from '../../kube/api/errors.ts';
import { observeStalls } from './observe-stalls.ts';

/** Time passes only by hand. */
function manualClock() {
  let now = Date.now();
  const sleepers = new Set<() => void>();
  return {
    now: () => now,
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        sleepers.add(resolve);
        signal?.addEventListener('abort', () => resolve());
      }),
    async pass(ms: number): Promise<void> {
      now += ms;
      for (const wake of sleepers) wake();
      sleepers.clear();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('observeStalls', () => {
  it('asks the API server until it is stopped, and sees that it does not answer', async () => {
    const clock = manualClock();
    let asked = 0;
    const list = (() => {
      asked += 1;
      return asked === 1
        ? Promise.reject(new ApiError('leases', 403, 'Forbidden', 'no'))
        : Promise.reject(new Error('connect ECONNREFUSED'));
    }) as KubeClient['list'];
    const observer = observeStalls({ clock, kube: { list }, log: silentLog });
    await clock.pass(0);
    await clock.pass(2000);
    const from = clock.now();
    await clock.pass(2000);
    await clock.pass(4000);
    // The heartbeat beats in real time.
    const stalls = observer.log.stalls().filter(({ place }) => place !== 'machine');
    expect(stalls).toEqual([{ place: 'API server', from, to: clock.now() }]);
    await observer.stop();
    const calls = asked;
    await clock.pass(2000);
    expect(asked).toBe(calls);
  });
});
