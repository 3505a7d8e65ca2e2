import { CheckFailure } from '../../../harness/core/errors.ts';

/**
 * What a platform says about something that has to fail.
 *
 * @param what is not to be reported as done: `a deployment without its Service`
 * @throws CheckFailure `E_REPORTED_AS_DONE` when it does not fail; any error that is not about the platform
 */
export async function failureOf(action: Promise<unknown>, what: string): Promise<string> {
  const said = await action.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof CheckFailure) return error.message;
      throw error;
    },
  );
  if (said !== undefined) return said;
  throw new CheckFailure('E_REPORTED_AS_DONE', `${what} is reported as done`);
}
