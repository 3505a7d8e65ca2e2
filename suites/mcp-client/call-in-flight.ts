/** A call that a server is working on while something happens to its pod. */
import { InfrastructureError } from '../../harness/core/errors.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import type { McpClient } from './mcp-client.ts';

/** A connection that nobody accepted: no call was in flight on it. */
const NOT_ACCEPTED = /connect E(CONNREFUSED|HOSTUNREACH|TIMEDOUT)/;
/** Beyond the preStop hook; shorter when less of the grace period is left. */
const BEYOND_HOOK_SECONDS = 4;

/** How long a call takes that is in flight at SIGTERM, and ends well within the grace period. All in seconds. */
export function secondsInFlight({ hook, grace }: { hook: number; grace: number }): number {
  return hook + Math.min(BEYOND_HOOK_SECONDS, Math.max(1, (grace - hook) / 2));
}

export interface CallInFlight {
  /** Expects an answer without an error. @throws InfrastructureError when the pod never had the call */
  answered(): Promise<void>;
}

/**
 * Calls a tool that takes its time, at the address of one pod.
 *
 * @param call.tool takes the argument `seconds`
 * @returns once the server has the call
 */
export async function callInFlight(
  client: McpClient,
  { url, tool, seconds, pod }: { url: string; tool: string; seconds: number; pod: string },
): Promise<CallInFlight> {
  const timeoutMs = (seconds + 30) * 1000;
  const call = client.talk({ url, timeoutMs, calls: [{ tool, arguments: { seconds } }] });
  // Its failure belongs to who waits for the answer.
  call.catch(() => {});
  // Started later, it ends when the other session has come to its call: both begin with the same requests.
  await client.talk({ url });
  return {
    async answered() {
      const [session] = await call;
      const [answer] = session?.calls ?? [];
      if (!answer || NOT_ACCEPTED.test(answer.error ?? ''))
        throw new InfrastructureError(
          'E_CONTROL',
          `${pod} was deleted before it had a call: ${session?.error ?? answer?.error ?? ''}`,
          { hint: 'Run again when the machine does nothing else.' },
        );
      expect(answer.error ?? '', `answer to the call in flight when ${pod} was deleted`).toBe('');
    },
  };
}
