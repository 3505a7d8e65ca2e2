import { describe, expect, it } from 'vitest';
import { cgroupMatches } from './resources.ts';

const MiB = 2 ** 20;

describe('cgroupMatches', () => {
  const limits = { cpu: '500m', memory: '256Mi' };
  it.each([
    ['equal', limits, { limitBytes: 256 * MiB, quotaUs: 50_000, periodUs: 100_000 }, true],
    ['another memory limit', limits, { limitBytes: 512 * MiB, quotaUs: 50_000, periodUs: 100_000 }, false],
    ['no CPU quota', limits, { limitBytes: 256 * MiB, quotaUs: undefined, periodUs: 100_000 }, false],
    [
      'no limits in spec and cgroup',
      {},
      { limitBytes: undefined, quotaUs: undefined, periodUs: 100_000 },
      true,
    ],
    [
      'a limit that the spec does not set',
      {},
      { limitBytes: MiB, quotaUs: undefined, periodUs: 100_000 },
      false,
    ],
    [
      'a limit rounded to whole pages',
      { memory: '100000000' },
      { limitBytes: 99_999_744, quotaUs: undefined, periodUs: 100_000 },
      true,
    ],
    ['the minimum quota', { cpu: '1m' }, { limitBytes: undefined, quotaUs: 1000, periodUs: 100_000 }, true],
  ])('%s', (_, given, cgroup, ok) => {
    expect(cgroupMatches({ limits: given }, cgroup).ok).toBe(ok);
  });
});
