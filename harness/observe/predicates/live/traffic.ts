/** How a Service served while something happened to it. */
import type { EndpointsMoment } from '../../recorder/endpoints.ts';
import { longestRun, orFewer } from './consistency.ts';
import type { PredicateResult } from '../result.ts';

/** What a client that asked at a constant rate has to tell. */
export interface TrafficReport {
  /** Requests that were sent and have come to an end. */
  sent: number;
  failed: number;
  /** Some of the failures, each with the time since the first request, in ms. */
  failures: readonly { afterMs: number; what: string }[];
  /** Longest time between two answers, in ms. */
  longestGapMs: number;
  slowestMs: number;
}

/**
 * Every request was answered, and there were enough of them to notice a gap.
 *
 * @param options.atLeast fewer requests prove nothing
 */
export function servedThroughout(report: TrafficReport, options: { atLeast: number }): PredicateResult {
  const { sent, failed, failures } = report;
  const details = failures.map(({ afterMs, what }) => `after ${(afterMs / 1000).toFixed(1)} s: ${what}`);
  const first = failures[0];
  const seen = `${failed} failed requests of ${sent}`;
  const tooFew =
    sent < options.atLeast
      ? `${sent} requests are too few to tell: at least ${options.atLeast} are needed`
      : undefined;
  return {
    ok: failed === 0 && tooFew === undefined,
    expected: `no failed request of at least ${options.atLeast}`,
    actual: tooFew ?? (first === undefined ? seen : `${seen}: ${first.what}`),
    observed: [
      `${seen}, the slowest took ${report.slowestMs} ms, the longest gap was ${report.longestGapMs} ms`,
    ],
    details,
  };
}

/**
 * Never fewer than `wanted` pods got traffic from a Service: whoever leaves has been replaced before.
 *
 * @param trace of the Service, from the recording
 * @param options.from position in the recording from which on it has to hold; what was the case at that moment counts
 */
export function endpointsNeverBelow(
  trace: readonly EndpointsMoment[],
  wanted: number,
  options: { from: number },
): PredicateResult {
  const start = trace.findLastIndex((moment) => moment.seq <= options.from);
  const relevant = trace.slice(Math.max(start, 0));
  const sizes = relevant.map((moment) => moment.ready.size);
  const fewest = Math.min(...sizes);
  const seen = fewest < wanted ? `ready endpoints fell to ${fewest}` : `never fewer than ${fewest}`;
  const details = relevant.flatMap((moment, index) => {
    if (moment.ready.size >= wanted) return [];
    const before = relevant[index - 1]?.ready ?? new Set<string>();
    const gone = [...before].filter((name) => !moment.ready.has(name));
    return [`${moment.ready.size} left${gone.length === 0 ? '' : ` when ${gone.join(', ')} went`}`];
  });
  return {
    ok: start >= 0 && details.length === 0,
    expected: `never fewer than ${wanted} ready endpoints`,
    actual: start < 0 ? 'the recording has no endpoints at the start' : seen,
    observed: [`ready endpoints one after the other: ${sizes.join(', ') || 'none'}`],
    details,
  };
}

export interface TimedAnswer {
  what: string;
  status: number;
  durationMs: number;
}

/**
 * Every answer came in time, whatever it said.
 *
 * @param answers in the order in which they were asked for
 * @param inARow how many late ones one after the other are too many, as with a probe's `failureThreshold`
 */
export function answeredWithin(
  answers: readonly TimedAnswer[],
  limitMs: number,
  inARow = 1,
): PredicateResult {
  const isLate = (answer: TimedAnswer): boolean => answer.durationMs > limitMs;
  const late = answers.filter(isLate);
  const slowest = Math.max(0, ...answers.map((answer) => answer.durationMs));
  const seen = `${answers.length} answers, the slowest after ${slowest} ms`;
  return {
    ok: answers.length > 0 && longestRun(answers, isLate) < inARow,
    expected: `every answer within ${limitMs} ms${orFewer(inARow)}`,
    actual: late.length === 0 ? seen : `${late.length} of ${seen}`,
    observed: [seen],
    details: late.map(({ what, status, durationMs }) => `${what}: ${status} after ${durationMs} ms`),
  };
}
