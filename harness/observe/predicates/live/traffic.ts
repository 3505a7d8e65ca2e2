/** How a Service answered over time. */
import type { EndpointsMoment } from '../../recorder/endpoints.ts';
import type { PredicateResult } from '../result.ts';

/** What a client that sends requests at a constant rate reports. */
export interface TrafficReport {
  /** Requests that were sent and have ended. */
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
 * @param options.atLeast with fewer requests the predicate does not hold
 */
export function servedThroughout(report: TrafficReport, options: { atLeast: number }): PredicateResult {
  const { sent, failed, failures } = report;
  const details = failures.map(({ afterMs, what }) => `after ${(afterMs / 1000).toFixed(1)} s: ${what}`);
  const first = failures[0];
  const seen = `${failed} failed requests of ${sent}`;
  const tooFew =
    sent < options.atLeast
      ? `${sent} requests are too few: at least ${options.atLeast} are needed`
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
 * The Service never had fewer than `wanted` ready endpoints: a pod that leaves has been replaced before.
 *
 * @param trace of the Service, from the recording
 * @param options.from position in the recording from which the condition has to hold; the state at that position counts
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
    observed: [`number of ready endpoints over time: ${sizes.join(', ') || 'none'}`],
    details,
  };
}

export interface StatusAnswer {
  what: string;
  /** HTTP status; 0 for no answer. */
  status: number;
}

export interface StatusExpectation {
  /** Default 200. */
  wanted?: number;
  /** Number of other answers in a row that is too many, like a probe's `failureThreshold`; default 1. */
  inARow?: number;
}

/** Every answer has the wanted status. */
export function answeredWithStatus(
  answers: readonly StatusAnswer[],
  { wanted = 200, inARow = 1 }: StatusExpectation = {},
): PredicateResult {
  const isBad = (answer: StatusAnswer): boolean => answer.status !== wanted;
  const bad = answers.filter(isBad);
  const tally = new Map<string, number>();
  for (const a of bad) tally.set(`${a.what}: ${a.status}`, (tally.get(`${a.what}: ${a.status}`) ?? 0) + 1);
  return {
    ok: answers.length > 0 && longestRun(answers, isBad) < inARow,
    expected: `${answers.length || 'some'} of ${answers.length || 'some'} answers ${wanted}${orFewer(inARow)}`,
    actual: `${answers.length - bad.length} of ${answers.length} answers ${wanted}`,
    observed: [`${answers.length - bad.length} of ${answers.length} answers ${wanted}`],
    details: [...tally].map(([text, times]) => `${text} (×${times})`),
  };
}

export interface TimedAnswer extends StatusAnswer {
  durationMs: number;
}

/**
 * Every answer came in time, whatever its status.
 *
 * @param answers in the order of the requests
 * @param inARow number of late answers in a row that is too many, like a probe's `failureThreshold`
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

function longestRun<T>(items: readonly T[], matches: (item: T) => boolean): number {
  let [run, longest] = [0, 0];
  for (const item of items) {
    run = matches(item) ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** Completes "every answer is so". */
function orFewer(inARow: number): string {
  return inARow > 1 ? `, or fewer than ${inARow} others in a row` : '';
}
