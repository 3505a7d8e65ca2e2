import { describe, expect, it } from 'vitest';
import { makePod } from '../../harness/testing/sample-world.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { untilBehindService } from './behind-service.ts';

/** A release whose Service leads to one of these after the other; to the last from then on. */
function release(...moments: string[][]): Pick<Release, 'recording'> {
  let looks = 0;
  const endpointsOf = () => {
    const names = moments[Math.min(looks, moments.length - 1)];
    looks += 1;
    return names ? [{ seq: looks, at: 0, ready: new Set(names) }] : [];
  };
  return { recording: { endpointsOf } } as unknown as Release;
}

const pods = ['a', 'b'].map((name) => makePod({ name }));

describe('untilBehindService', () => {
  it('waits for the endpoints of pods that are ready already', async () => {
    await expect(untilBehindService(release(['a'], ['a', 'b']), pods)).resolves.toBeUndefined();
  });

  it('waits until those who are not meant have left', async () => {
    await expect(untilBehindService(release(['a', 'b'], []), [])).resolves.toBeUndefined();
  });

  it('is content with a Service that never led anywhere, when nobody is meant', async () => {
    await expect(untilBehindService(release(), [])).resolves.toBeUndefined();
  });

  it.each<[string, string[], Parameters<typeof untilBehindService>[2], RegExp]>([
    ['by default', ['a'], {}, /for a, b to be behind Service tool-registry-api; last seen: a$/],
    ['in the words of the check', [], { what: 'both to serve' }, /for both to serve; last seen: nobody$/],
  ])('says who is there instead, %s', async (_how, there, options, message) => {
    const waiting = untilBehindService(release(there), pods, { ...options, timeoutMs: 0 });
    await expect(waiting).rejects.toThrow(message);
  });
});
