import { describe, expect as plain, it } from 'vitest';
import { countAssertions, expect } from './assertions.ts';

describe('countAssertions', () => {
  it('counts the assertions of its own body, also with concurrent bodies', async () => {
    const counters = [0, 1, 2, 3].map((wanted) => ({ wanted, count: 0 }));
    await Promise.all(
      counters.map((counter) =>
        countAssertions(counter, async () => {
          for (let i = 0; i < counter.wanted; i++) {
            expect(i).toBe(i);
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        }),
      ),
    );
    plain(counters.map((c) => c.count)).toEqual([0, 1, 2, 3]);
  });

  it('has the count of assertions before a failure', async () => {
    const counter = { count: 0 };
    const failing = countAssertions(counter, async () => {
      expect(1).toBe(1);
      await Promise.resolve();
      expect(1).toBe(2);
    });
    await plain(failing).rejects.toThrow('expected 1 to be 2');
    plain(counter.count).toBe(2);
  });

  it('allows expect outside of a counted body', () => {
    plain(() => {
      expect(1).toBe(1);
    }).not.toThrow();
  });
});

describe('expect', () => {
  it('has the matchers of the harness', () => {
    plain(expect(1)).toHaveProperty('toBeSpreadOver');
    plain(expect.extend).toBeTypeOf('function');
  });

  it('rejects soft assertions, which would be lost', () => {
    plain(() => {
      expect.soft(1).toBe(2);
    }).toThrow('expect.soft cannot be used in checks');
  });
});
