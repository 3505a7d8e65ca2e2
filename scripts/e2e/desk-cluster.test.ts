import { describe, expect, it } from 'vitest';
import { UsageError } from '../../harness/core/errors.ts';
import { deskCluster } from './desk-cluster.ts';

describe('the desk cluster', () => {
  it.each([
    [{}, 'kp-desk'],
    [{ KINDPROOF_DESK: '' }, 'kp-desk'],
    [{ KINDPROOF_DESK: 'gpu' }, 'kp-desk-gpu'],
  ])('%o: %s', (env, name) => {
    expect(deskCluster(env)).toBe(name);
  });

  it.each(['GPU', '-a', 'a b', 'x'.repeat(21)])('is not called "%s"', (desk) => {
    expect(() => deskCluster({ KINDPROOF_DESK: desk })).toThrow(UsageError);
  });
});
