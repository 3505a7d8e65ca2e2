/** Work of a check whose failure says nothing about the subject: on its controls, on the nodes, on other means. */
import { InfrastructureError, KindproofError, messageOf } from '../../core/errors.ts';
import { ApiError } from '../../kube/api/errors.ts';
import { statusOfError } from './status-of-error.ts';

/**
 * The result of the work.
 *
 * @param what starts the message: `the control failed`
 * @throws InfrastructureError with this code instead of an error that would be red, and of one of the API server; other errors as they are
 */
export async function notAboutSubject<T>(
  code: `E_${string}`,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (statusOfError(error, {}) !== 'failed' && !(error instanceof ApiError)) throw error;
    throw new InfrastructureError(code, `${what}: ${messageOf(error)}`, {
      cause: error,
      ...(error instanceof KindproofError && { details: error.details }),
      hint: 'Run again when the machine does nothing else.',
    });
  }
}
