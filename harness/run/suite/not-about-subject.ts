/** Work of a check whose failure says nothing about the subject: on its controls, on the nodes, on other means. */
import { CheckFailure, InfrastructureError } from '../../core/errors.ts';
import { BlockedError } from './shared-lab.ts';
import { CheckSkipped } from './check.ts';

/**
 * The result of the work.
 *
 * @param what starts the message: `the control failed`
 * @throws InfrastructureError with this code instead of a CheckFailure, which would be red; other errors as they are
 */
export async function notAboutSubject<T>(
  code: `E_${string}`,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isRed =
      error instanceof CheckFailure && !(error instanceof CheckSkipped || error instanceof BlockedError);
    if (!isRed) throw error;
    throw new InfrastructureError(code, `${what}: ${error.message}`, {
      cause: error,
      details: error.details,
      hint: 'Run again when the machine does nothing else.',
    });
  }
}
