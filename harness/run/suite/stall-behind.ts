/** Whether a failure may be due to a stall, by the time in which it was decided. */
import { seconds } from '../../core/deadline.ts';
import { KindproofError } from '../../core/errors.ts';
import { listed } from '../../core/wording.ts';
import { stalledMs, type StallLog } from '../../observe/stalls/stall-log.ts';

/**
 * Of a wait. Its limit does not count lost time, so a short stall changes nothing; a long one has consequences that last longer than
 * itself, such as restarts and their back-off.
 */
const RELEVANT_SHARE = 0.2;

/**
 * Says what stalled in the time in which the failure was decided, `undefined` when nothing relevant did.
 *
 * The failure of a wait was decided while it waited. Any other failure may rest on everything since the start of the check: a restart or a
 * refused connection that an assertion finds at the end happened at any time, and a single stall can cause it.
 *
 * @param span in which the check ran, ms since the epoch
 */
export function stallBehind(
  error: unknown,
  span: { from: number; to: number },
  stalls: Pick<StallLog, 'stalls'>,
): string | undefined {
  const wait = waitBehind(error);
  const from = wait?.startedAt ?? span.from;
  const found = stalls.stalls(from, span.to);
  if (found.length === 0) return undefined;
  const ms = stalledMs(found, from, span.to);
  if (wait && ms <= RELEVANT_SHARE * (span.to - from)) return undefined;
  const places = listed([...new Set(found.map(({ place }) => `the ${place}`))]);
  return `${places} stalled for ${seconds(ms)} while the check ${wait ? `waited for ${wait.what}` : 'ran'}`;
}

/** The wait that failed, from the details of the error or of a cause. */
function waitBehind(error: unknown): { what: string; startedAt: number } | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof KindproofError)) continue;
    const { what, startedAt } = cause.details;
    if (typeof what === 'string' && typeof startedAt === 'number') return { what, startedAt };
  }
  return undefined;
}
