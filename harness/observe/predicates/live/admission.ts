/** What an API server says against objects that it is shown and does not keep. */
import { messageOf } from '../../../core/errors.ts';
import { ApiError } from '../../../kube/api/errors.ts';
import { isPassing } from '../../../kube/api/transport.ts';
import type { KubeObject } from '../../../kube/api/types.ts';
import { nameOf } from '../../../kube/manifests/objects.ts';

/**
 * The server's words about each object that it refuses, led by the object's name.
 *
 * @param show sends one object in a dry-run
 * @throws whatever keeps the server from judging: that is no verdict on the object
 */
export async function refusalsOf<T extends KubeObject>(
  objects: readonly T[],
  show: (object: T) => Promise<unknown>,
): Promise<string[]> {
  const refusals: string[] = [];
  for (const object of objects) {
    try {
      await show(object);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusals.push(`${nameOf(object)}: ${messageOf(error)}`);
    }
  }
  return refusals;
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && !isPassing(error);
}
