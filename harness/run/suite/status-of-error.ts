/** The one place that decides what an error of a check means. */
import { chai } from 'vitest';
import { CheckFailure, DoesNotFit, NameMissing } from '../../core/errors.ts';
import { ApiError } from '../../kube/api/errors.ts';
import { isInvalidObject } from '../../kube/api/transport.ts';
import type { CheckResult } from '../report/model.ts';
import { CheckSkipped, type CheckOptions } from './check.ts';
import { BlockedError } from './shared-lab.ts';

type StatusOfError = Exclude<CheckResult['status'], 'passed' | 'warning'>;

/**
 * `failed` only for a CheckFailure or a failed assertion, because only these are statements about the subject. Any other error is one of
 * the check or of kindproof: `errored`.
 *
 * @param options of the check: with `names`, a missing name is a failure
 */
export function statusOfError(error: unknown, { names = false }: CheckOptions): StatusOfError {
  if (error instanceof CheckSkipped) return 'skipped';
  if (error instanceof BlockedError) return 'blocked';
  const misfit = misfitBehind(error);
  if (misfit) return names && misfit instanceof NameMissing ? 'failed' : 'not-applicable';
  return isAboutSubject(error) ? 'failed' : 'errored';
}

/** A helper may have wrapped it. */
function misfitBehind(error: unknown): DoesNotFit | undefined {
  const seen = new Set<unknown>();
  for (let cause = error; cause instanceof Error && !seen.has(cause); cause = cause.cause) {
    if (cause instanceof DoesNotFit) return cause;
    seen.add(cause);
  }
  return undefined;
}

function isAboutSubject(error: unknown): boolean {
  // The check has sent an object of the subject. Its own objects are the same for every subject.
  if (error instanceof ApiError) return isInvalidObject(error);
  // Not by name: a library that uses node:assert throws errors of the same name.
  return error instanceof CheckFailure || error instanceof chai.AssertionError;
}
