/** Calls to a server while something happens to it. */
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import { nothingWrong } from '../../harness/observe/predicates/result.ts';
import type { McpClient } from '../mcp-client/mcp-client.ts';

/** Calls in one go of the client; a go takes about a second. */
const CALLS = 40;

/**
 * Calls the server over new connections until `change` has ended, and once more after it: no call may fail.
 *
 * @param what what happens meanwhile, for the message
 */
export async function servesMeanwhile(
  client: McpClient,
  url: string,
  what: string,
  change: () => Promise<unknown>,
): Promise<PredicateResult> {
  const progress = { ended: false };
  const changed = change().finally(() => {
    progress.ended = true;
  });
  // Its failure is thrown below, when the calls have ended.
  changed.catch(() => {});
  const failures: string[] = [];
  let answered = 0;
  let isLast = false;
  while (!isLast) {
    isLast = progress.ended;
    const sessions = await client.talk({
      url,
      sessions: 2,
      parallel: 2,
      calls: [{ tool: 'echo_message', arguments: { message: 'x' }, times: CALLS / 2 }],
    });
    for (const { error, calls } of sessions) {
      if (error !== undefined) failures.push(error);
      failures.push(...calls.flatMap((call) => call.error ?? []));
      answered += calls.filter((call) => call.error === undefined).length;
    }
  }
  await changed;
  return {
    ...nothingWrong(`no call fails ${what}`, failures),
    observed: [`${what}: ${answered} calls answered, ${failures.length} failed`],
  };
}
