import { describe, expect, it } from 'vitest';
import type { LockSample } from '../../fixtures/services/postgres-types.ts';
import { oneAtATime } from './migration-lock.ts';

const sample = (...granted: boolean[]): LockSample => ({
  at: 0,
  locks: granted.map((isGranted, index) => ({ pid: index, granted: isGranted, applicationName: '' })),
});

describe('oneAtATime', () => {
  it.each<[string, LockSample[], boolean, string]>([
    ['one holds, two wait', [sample(true), sample(true, false, false)], true, 'so it was'],
    ['between two holders', [sample(false), sample(true, false)], true, 'so it was'],
    [
      'two hold',
      [sample(true, false), sample(true, true)],
      false,
      '2 connections held an advisory lock at the same time',
    ],
    ['nobody waits', [sample(true), sample(true)], false, 'nobody was seen waiting for the lock'],
    ['no lock', [], false, 'nobody ever held an advisory lock'],
  ])('%s', (_what, samples, ok, actual) => {
    expect(oneAtATime(samples)).toMatchObject({ ok, actual });
  });
});
