/** Requirements that are a promise in one case and advice in another: with one replica, nobody can keep serving through an update. */

const BECAUSE = Symbol('why a failure is advice');

/**
 * Runs a part of a check whose failure is a warning. Assert promises first: the first failure ends the check. With `--strict-advice`, and
 * in a proof, it is a failure.
 *
 * @param because completes "this is advice, because …": `Deployment web has one replica`
 */
export async function asAdvice<T>(because: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof Error) Object.assign(error, { [BECAUSE]: because });
    throw error;
  }
}

/** Why a failure is advice; `undefined` for a broken promise. */
export function whyAdvice(error: unknown): string | undefined {
  return error instanceof Error ? (error as { [BECAUSE]?: string })[BECAUSE] : undefined;
}
