/** Objects that the API server refuses in a dry-run. */
import { messageOf } from '../../core/errors.ts';
import { ApiError, isLackOfPermission } from '../api/errors.ts';
import { isTransient } from '../api/transport.ts';
import type { KubeObject } from '../api/types.ts';
import { nameOf } from './objects.ts';

/**
 * Returns one line for each refused object: its name and the API server's message.
 *
 * @param send sends one object in a dry-run
 * @throws errors that are not a refusal, for example an overloaded server
 */
export async function refusalsOf<T extends KubeObject>(
  objects: readonly T[],
  send: (object: T) => Promise<unknown>,
): Promise<string[]> {
  const refusals: string[] = [];
  for (const object of objects) {
    try {
      await send(object);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusals.push(`${nameOf(object)}: ${messageOf(error)}`);
    }
  }
  return refusals;
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && !isTransient(error) && !isLackOfPermission(error.message);
}
