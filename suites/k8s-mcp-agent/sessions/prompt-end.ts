import { seconds } from '../../../harness/core/deadline.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import type { McpSession } from './mcp-session.ts';

/**
 * A session ended less than `limitMs` after a control in the same container that got the end of its input at the same time and has nothing
 * to do then. What the connection, a busy machine and a small CPU limit take is the same for both, and does not count.
 */
export function endedPromptly(
  session: Pick<McpSession, 'endedAt' | 'title'>,
  control: Pick<McpSession, 'endedAt' | 'title'>,
  limitMs: number,
): PredicateResult {
  const expected = `${session.title} ends within ${seconds(limitMs)} of ${control.title}, whose input ended as well`;
  if (session.endedAt === undefined || control.endedAt === undefined) {
    return { ok: false, expected, actual: 'one of them still runs' };
  }
  const laterMs = session.endedAt - control.endedAt;
  const actual = laterMs > 0 ? `${seconds(laterMs)} after it` : 'no later than it';
  return { ok: laterMs < limitMs, expected, actual, observed: [`ended ${actual}`] };
}
