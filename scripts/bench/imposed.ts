/**
 * The part of a run that Kubernetes imposes: time that no test tool can save without changing the subject. Pure.
 *
 * Computed from the timelines of the report, so from what the API server delivered:
 *
 * 1. A pod waits for Kubernetes from the start of its main container, its restart, or its loss of readiness until it is ready (delays,
 *    periods and thresholds of probes, restart back-off), and from the request to delete it until it is gone (grace period). Waits that
 *    were still open when the recording ended do not count.
 * 2. Overlapping waits in one namespace count once: two pods that start at the same time cost that time once.
 * 3. Checks run in parallel in separate namespaces. Of namespaces that overlap in time only the longest counts; others, such as those of
 *    exclusive checks, are added.
 *
 * Scheduling, volume mounts and image pulls are not included, because they depend on the machine. So the result is a lower bound.
 */
import type { PodTimeline } from '../../harness/run/report/model.ts';

interface Span {
  from: number;
  to: number;
}

/** In milliseconds. */
export function imposedMs(timelines: readonly PodTimeline[]): number {
  const namespaces = timelines.flatMap(({ moments }) => {
    const waits = waitsOf(moments);
    const merged = merge(waits);
    const [first] = merged;
    const last = merged.at(-1);
    return first && last ? [{ from: first.from, to: last.to, length: total(merged) }] : [];
  });
  return merge(namespaces)
    .map((group) => namespaces.filter((n) => n.from >= group.from && n.to <= group.to))
    .map((members) => Math.max(...members.map((n) => n.length)))
    .reduce((sum, longest) => sum + longest, 0);
}

/** When the pods of one namespace waited for probes or termination. */
function waitsOf(moments: PodTimeline['moments']): Span[] {
  const pods = new Set(moments.map((m) => m.pod));
  return [...pods].flatMap((pod) => waitsOfPod(moments.filter((m) => m.pod === pod)));
}

function waitsOfPod(moments: PodTimeline['moments']): Span[] {
  const waits: Span[] = [];
  let notReadySince: number | undefined;
  let deletingSince: number | undefined;
  let ended: number | undefined;
  for (const { at, kind, container } of [...moments].sort((a, b) => a.at - b.at)) {
    const ofPod = container === undefined;
    if (kind === 'deleting') {
      deletingSince ??= at;
      notReadySince = undefined;
    } else if (deletingSince !== undefined) {
      if (kind === 'terminated' || kind === 'deleted') ended = at;
    } else if (kind === 'started' || kind === 'restarted' || (kind === 'unready' && ofPod)) {
      notReadySince ??= at;
    } else if (kind === 'ready' && ofPod && notReadySince !== undefined) {
      waits.push({ from: notReadySince, to: at });
      notReadySince = undefined;
    }
  }
  if (deletingSince !== undefined && ended !== undefined) waits.push({ from: deletingSince, to: ended });
  return waits;
}

/** Merges overlapping and adjacent spans, in order. */
function merge(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

function total(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0);
}
