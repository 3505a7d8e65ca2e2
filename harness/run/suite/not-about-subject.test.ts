import { chai, describe, expect, it } from 'vitest';
import { CheckFailure, DoesNotFit, InfrastructureError } from '../../core/errors.ts';
import { ApiError } from '../../kube/api/errors.ts';
import { CheckSkipped } from './check.ts';
import { notAboutSubject } from './not-about-subject.ts';
import { statusOfError } from './status-of-error.ts';

const failing = (error: Error): Promise<unknown> =>
  notAboutSubject('E_CONTROL', 'the control failed', () => Promise.reject(error)).catch(
    (thrown: unknown) => thrown,
  );

describe('work that is not about the subject', () => {
  it('gives its result', async () => {
    expect(await notAboutSubject('E_CONTROL', 'x', () => Promise.resolve(1))).toBe(1);
  });

  it('is no failure of the subject', async () => {
    const error = await failing(new CheckFailure('E_NOT_RUNNING', 'the container does not run'));
    expect(error).toBeInstanceOf(InfrastructureError);
    expect((error as Error).message).toBe('the control failed: the container does not run');
    expect(statusOfError(error, {})).toBe('errored');
  });

  it.each([422, 403])('is no failure of the subject when the API server answers %i', async (code) => {
    const error = await failing(new ApiError('create pod control', code, 'Invalid', 'no'));
    expect(error).toMatchObject({ code: 'E_CONTROL' });
    expect(statusOfError(error, {})).toBe('errored');
  });

  it('is no failure of the subject when an assertion fails', async () => {
    const error = await failing(new chai.AssertionError('expected 1 to be 2'));
    expect((error as Error).message).toBe('the control failed: expected 1 to be 2');
    expect(statusOfError(error, {})).toBe('errored');
  });

  it.each([
    ['skipped', new CheckSkipped('no metrics')],
    ['not-applicable', new DoesNotFit('it has none')],
  ])('keeps what is %s', async (status, error) => {
    expect(statusOfError(await failing(error), {})).toBe(status);
  });
});
