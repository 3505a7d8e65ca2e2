/** What a timeline shows of its checks: when each ran, and the moments that a failed check mentions; pure. */
import { clip } from '../../../core/wording.ts';
import type { CheckResult, PodTimeline } from '../model.ts';
import { isDecided } from '../status.ts';
import { isRed } from '../verdict.ts';

type Moment = PodTimeline['moments'][number];

/** When a check ran, in milliseconds since the epoch. */
export function spanOf(check: CheckResult): { from: number; to: number } {
  const from = Date.parse(check.startedAt);
  return { from, to: from + check.durationMs };
}

/** The checks that ran on a timeline, in the order in which they started; those without a result about the subject did not. */
export function checksIn(timeline: PodTimeline, checks: readonly CheckResult[]): CheckResult[] {
  return checks
    .filter(({ id }) => timeline.checks.includes(id))
    .filter((check) => isDecided(check) || isRed(check))
    .sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
}

/** The timeline, extended to the spans of its checks: a check that waits in vain ends long after the last moment. */
export function including(timeline: PodTimeline, checks: readonly CheckResult[]): PodTimeline {
  const spans = checks.map(spanOf);
  return {
    ...timeline,
    startedAt: Math.min(timeline.startedAt, ...spans.map(({ from }) => from)),
    endedAt: Math.max(timeline.endedAt, ...spans.map(({ to }) => to)),
  };
}

/** Rows of spans that do not overlap, `gap` milliseconds apart. */
export function packed<T extends { from: number; to: number }>(spans: readonly T[], gap: number): T[][] {
  const rows: T[][] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const row = rows.find((candidate) => (candidate.at(-1)?.to ?? -Infinity) + gap <= span.from);
    if (row) row.push(span);
    else rows.push([span]);
  }
  return rows;
}

/** How far the time of a diagnosis entry and of its moment may differ: entries from events are exact to the second only. */
const toleranceMs = 1000;
const repeated = / ×(\d+)$/;

/** Whether a failed check's diagnosis lists the moment. A repeated entry (`×3`) stands for every moment with its text. */
export function mentions(check: CheckResult, moment: Moment): boolean {
  if (!isRed(check)) return false;
  const { from } = spanOf(check);
  const place = moment.container === undefined ? moment.pod : `${moment.pod}/${moment.container}`;
  const text = clip(`${place}: ${moment.text}`, 160).replace(repeated, '');
  return (check.diagnosis?.timeline ?? []).some((entry) => {
    if (entry.text.replace(repeated, '') !== text) return false;
    const late = moment.at - (from + entry.afterMs);
    return Math.abs(late) <= toleranceMs || (repeated.test(entry.text) && late > 0);
  });
}
