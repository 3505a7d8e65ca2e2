/** What became of the requests of a client. */
import { count, listed } from '../../../core/wording.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';

/** Every request that a client sent, in the order of sending. */
export interface RequestLog {
  requests: readonly {
    /** From 1. */
    number: number;
    /** An HTTP status, or what went wrong: `Connection refused`. */
    outcome: string;
  }[];
}

/** A change during the requests, with the number of the last request before it. */
export interface ChangeUnderLoad {
  after: number;
  /** Completes "while …": `Deployment web was updated`. */
  says: string;
}

const isAnswer = (outcome: string): boolean => /^[1-5]\d\d$/.test(outcome);

/** The answers before the first change, each status once: what is normal for this request. Empty when there was no answer. */
export function quietStatuses({ requests }: RequestLog, changes: readonly ChangeUnderLoad[]): string[] {
  const until = changes[0]?.after ?? Infinity;
  const before = requests.filter(({ number }) => number <= until).map(({ outcome }) => outcome);
  return [...new Set(before.filter(isAnswer))];
}

/** The requests since the first change that were not answered, or with a server error that did not occur before. */
export function lostRequests(log: RequestLog, changes: readonly ChangeUnderLoad[]): RequestLog['requests'] {
  const normal = quietStatuses(log, changes);
  const from = changes[0]?.after ?? 0;
  return log.requests.filter(
    ({ number, outcome }) =>
      number > from && (!isAnswer(outcome) || (outcome.startsWith('5') && !normal.includes(outcome))),
  );
}

/**
 * Every request since the first change was answered, and none with a server error that did not occur before.
 *
 * @param changes in their order
 */
export function noRequestLost(
  log: RequestLog,
  target: string,
  changes: readonly ChangeUnderLoad[],
): PredicateResult {
  const all = lostRequests(log, changes);
  const complaints = changes.flatMap(({ after, says }, index) => {
    const until = changes[index + 1]?.after ?? Infinity;
    const lost = all.filter(({ number }) => number > after && number <= until);
    if (lost.length === 0) return [];
    const how = listed(tally(lost.map(({ outcome }) => (isAnswer(outcome) ? `HTTP ${outcome}` : outcome))));
    return [`${target} lost ${count(lost.length, 'request')} while ${says}: ${how}`];
  });
  const before = log.requests.filter(({ number }) => number <= (changes[0]?.after ?? 0)).length;
  return {
    ...nothingWrong(
      `${target} answers every request`,
      log.requests.length > before ? complaints : ['no request was sent since the change'],
    ),
    observed: [
      `${target}: ${log.requests.length} requests sent, ${before} of them before the change: ${listed(tally(log.requests.map(({ outcome }) => outcome)))}`,
    ],
  };
}

/** `412 × 200`. */
function tally(outcomes: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, times]) => `${times} × ${outcome}`);
}
