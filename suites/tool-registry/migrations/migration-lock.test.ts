import { describe, expect, it } from 'vitest';
import type { LockSample } from '../../../fixtures/services/postgres-types.ts';
import { oneAtATime } from './migration-lock.ts';

const sample = (...granted: boolean[]): LockSample => ({
  at: 0,
  locks: granted.map((isGranted, index) => ({ pid: index, granted: isGranted, applicationName: '' })),
});

const seen = (holding: number, waiting: number): string =>
  `2 samples of pg_locks: at most ${holding} holding an advisory lock, at most ${waiting} waiting for it`;

describe('oneAtATime', () => {
  it.each<[string, LockSample[], boolean, string]>([
    ['one holds, two wait', [sample(true), sample(true, false, false)], true, seen(1, 2)],
    ['between two holders', [sample(false), sample(true, false)], true, seen(1, 1)],
    [
      'two hold',
      [sample(true, false), sample(true, true)],
      false,
      '2 connections held an advisory lock at the same time',
    ],
    ['none waits', [sample(true), sample(true)], false, 'no connection waited for the lock'],
    ['no lock', [], false, 'no connection held an advisory lock'],
  ])('%s', (_what, samples, ok, actual) => {
    expect(oneAtATime(samples)).toMatchObject({ ok, actual });
  });
});
