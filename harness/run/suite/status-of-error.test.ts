import assert from 'node:assert';
import { describe, expect, it } from 'vitest';
import { WaitTimeout, MachineTooSlow } from '../../core/deadline.ts';
import { CheckFailure, DoesNotFit, InfrastructureError, NameMissing, UsageError } from '../../core/errors.ts';
import { ApiError } from '../../kube/api/errors.ts';
import { expect as counted } from './assertions.ts';
import { CheckSkipped } from './check.ts';
import { BlockedError } from './shared-lab.ts';
import { statusOfError } from './status-of-error.ts';

const thrownBy = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('it threw nothing');
};
const api = (status: number): ApiError => new ApiError('cannot create Pod x', status, 'Reason', 'message');
const misfit = new DoesNotFit('the chart renders no Service');

describe('the status of a check that threw', () => {
  it.each<[string, unknown, string]>([
    ['a broken promise', new CheckFailure('E_X', '2 of 3 replicas'), 'failed'],
    ['a wait in vain', new WaitTimeout('x', { startedAt: 0, waitedMs: 1, lostMs: 0 }, []), 'failed'],
    ['a failed assertion', thrownBy(() => counted(1).toBe(2)), 'failed'],
    ['an object of the subject that the API server calls invalid', api(422), 'failed'],
    ['a refused permission', api(403), 'errored'],
    ['too many requests', api(429), 'errored'],
    ['an API server that is not ready', api(503), 'errored'],
    ['a malformed request', api(400), 'errored'],
    ['an object that is gone', api(404), 'errored'],
    ['a lost engine', new InfrastructureError('E_SERVICE', 'cannot pause container x'), 'errored'],
    [
      'a slow machine',
      new MachineTooSlow('x', { elapsedMs: 2, lostMs: 1, leftMs: 0, end: 'exhausted' }, 2),
      'errored',
    ],
    ['wrong usage', new UsageError('E_QUANTITY', '"x" is no quantity'), 'errored'],
    ['a defect of the check', thrownBy(() => (undefined as unknown as string).length), 'errored'],
    ['JSON of our own', thrownBy(() => JSON.parse('{')), 'errored'],
    ['an assertion of a library', thrownBy(() => assert.equal(1, 2)), 'errored'],
    ['an unknown error', new Error('expected 2 to be 3'), 'errored'],
    ['a thrown value', 'text', 'errored'],
    ['what the cluster lacks', new CheckSkipped('no metrics'), 'skipped'],
    ['a failure that another check reports', new BlockedError('app/T-01', new Error('x')), 'blocked'],
    ['what the subject lacks', misfit, 'not-applicable'],
    [
      'what the subject lacks, wrapped',
      new CheckFailure('E_LOAD', 'no load', { cause: misfit }),
      'not-applicable',
    ],
    ['a name', new NameMissing('the chart renders no Deployment x'), 'not-applicable'],
  ])('%s', (_, error, status) => {
    expect(statusOfError(error, {})).toBe(status);
  });

  it('is failed for a missing name only when the requirement is about names', () => {
    expect(statusOfError(new NameMissing('the chart renders no Deployment x'), { names: true })).toBe(
      'failed',
    );
    expect(statusOfError(misfit, { names: true })).toBe('not-applicable');
  });

  it('survives a circular cause', () => {
    const error = new Error('x');
    error.cause = error;
    expect(statusOfError(error, {})).toBe('errored');
  });
});
