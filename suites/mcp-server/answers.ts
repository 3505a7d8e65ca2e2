/** What the answers of the server say about the pod behind it. */
import { z } from 'zod';
import { DoesNotFit } from '../../harness/core/errors.ts';

const serverInfo = z.looseObject({ pod: z.string().min(1) });

/**
 * The pod that answered the tool get_server_info.
 *
 * @throws DoesNotFit when the answer does not name it: not every server knows its pod
 */
export function podOfAnswer(text: string): string {
  try {
    return serverInfo.parse(JSON.parse(text)).pod;
  } catch {
    throw new DoesNotFit('the tool get_server_info of the server does not name the pod that answers');
  }
}
