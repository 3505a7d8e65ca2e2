/** What a status means, for everything that does not need the verdict. */
import type { CheckResult } from './model.ts';

type WithStatus = Pick<CheckResult, 'status'>;

/** Advice that the subject does not follow: listed separately, never red. */
export function isWarning({ status }: WithStatus): boolean {
  return status === 'warning';
}

/** The check does not fit the subject. */
export function isNotApplicable({ status }: WithStatus): boolean {
  return status === 'not-applicable';
}

/** The check says something about the subject. */
export function isDecided({ status }: WithStatus): boolean {
  return status === 'passed' || status === 'warning' || status === 'failed';
}

/**
 * Whether a failure of a check with these requirements is a warning. One promise among them makes it a failure.
 *
 * @param advice ids of all requirements that are advice
 */
export function isAdvice(requirements: readonly string[], advice: readonly string[]): boolean {
  return requirements.length > 0 && requirements.every((id) => advice.includes(id));
}
