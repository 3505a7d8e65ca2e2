/** The timelines of the pods as inline SVG: one lane for each pod and container, seconds from left to right. */
import { seconds } from '../../../core/deadline.ts';
import { count } from '../../../core/wording.ts';
import type { CheckResult, PodTimeline, Report } from '../model.ts';
import { truncateMiddle } from '../text.ts';
import { isRed } from '../verdict.ts';
import { shortId } from '../wording.ts';
import { checksIn, including, mentions, packed, spanOf } from './check-spans.ts';
import type { Band, BandState, Lane, Marker } from './lanes.ts';
import { lanesOf } from './lanes.ts';
import type { Markup } from './markup.ts';
import { anchor, markup } from './markup.ts';
import { axisLines, round, timeAxis } from './time-axis.ts';
import type { TimeAxis } from './time-axis.ts';

const width = 1040;
const labels = 232;
const laneHeight = 20;
const checkHeight = 9;
const podGap = 7;
const top = 30;
const right = 16;
/** Beyond this a picture is unreadable; the recording has everything. */
const mostLanes = 120;
/** Up to this many timelines are all unfolded. */
const mostOpen = 3;

const words: Record<BandState, string> = {
  pending: 'created, not scheduled',
  scheduled: 'scheduled',
  init: 'init container running',
  starting: 'started, not ready',
  ready: 'ready',
  unready: 'unready again',
  waiting: 'waiting',
  failed: 'terminated with an error',
  completed: 'ended',
  deleting: 'being deleted',
};

interface Drawn {
  timeline: PodTimeline;
  checks: CheckResult[];
  lanes: Lane[];
}

/** All timelines of a run, under one legend; those of failed checks come first. */
export function timelinesSection(report: Report): Markup | undefined {
  const drawn = shownTimelines(report)
    .map((timeline): Drawn => {
      const checks = checksIn(timeline, report.checks);
      const extended = including(timeline, checks);
      const isMentioned = (moment: PodTimeline['moments'][number]) =>
        checks.some((check) => mentions(check, moment));
      return { timeline: extended, checks, lanes: lanesOf(extended, isMentioned) };
    })
    .sort((a, b) => Number(b.checks.some(isRed)) - Number(a.checks.some(isRed)));
  if (drawn.length === 0) return undefined;
  return markup`
<section id="timelines">
  <h2>Pods over time</h2>
  ${legend(drawn)}
  ${drawn.map((one) => timelineFigure(one, drawn.length <= mostOpen || one.checks.some(isRed)))}
</section>`;
}

function shownTimelines(report: Report): PodTimeline[] {
  return (report.timelines ?? []).filter((timeline) => timeline.moments.length > 0);
}

/** Links to the timelines of these namespaces; `undefined` without any. */
export function timelineLinks(report: Report, namespaces: readonly string[]): Markup | undefined {
  const found = shownTimelines(report).filter(({ namespace }) => namespaces.includes(namespace));
  if (found.length === 0) return undefined;
  return markup`${found.map(({ namespace }, index) => markup`${index > 0 && ', '}<a href="#${anchor('timeline', namespace)}">${namespace}</a>`)}`;
}

/** The check, or what the namespace was for. */
function titleOf({ timeline, checks }: Drawn): Markup {
  const [only, ...others] = checks;
  if (!only) return markup`${timeline.title}`;
  if (others.length > 0) return markup`shared release (${count(checks.length, 'check')})`;
  return markup`<a href="#${anchor('check', only.id)}">${shortId(only)} ${only.title}</a>${isRed(only) && markup` <span class="bad">${only.status}</span>`}`;
}

function timelineFigure(drawn: Drawn, isOpen: boolean): Markup {
  const { timeline, checks, lanes: all } = drawn;
  const lanes = all.slice(0, mostLanes);
  const durationMs = timeline.endedAt - timeline.startedAt;
  const axis = timeAxis(durationMs, labels, width - right);
  const spans = spanRows(checks, timeline, axis);
  let y = top + (spans.length > 0 ? spans.length * checkHeight + podGap : 0);
  const groups = lanes.map((lane, index) => {
    if (index > 0 && lane.container === undefined) y += podGap;
    const at = y;
    y += laneHeight;
    return laneGroup(lane, at, axis);
  });
  const height = y + 8;
  const highlighted = spans.flat().filter(({ check }) => checks.length === 1 || isRed(check));
  const isTitle = checks.length === 0 && timeline.title === timeline.namespace;
  const place = [timeline.suite, isTitle ? '' : timeline.namespace].filter((part) => part !== '');
  return markup`
<details class="timeline" ${isOpen && 'open'}><summary>${titleOf(drawn)} <span class="muted">${place.map((part) => markup`${part}, `)}${seconds(durationMs)}</span></summary>
<figure id="${anchor('timeline', timeline.namespace)}">
  ${checks.length > 1 && markup`<p class="muted">${checks.map((check) => markup`<a class="${isRed(check) ? 'id bad' : 'id'}" href="#${anchor('check', check.id)}" title="${check.title}">${shortId(check)}</a> `)}</p>`}
  <div class="scroll"><svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${`Timeline of the pods in ${timeline.namespace}`}">
    ${highlighted.map((span) => markup`<rect class="${spanClass('during', span.check)}" x="${span.x}" y="${top - 4}" width="${span.wide}" height="${height - top}"/>`)}
    ${axisLines(axis, top - 4, height - 4)}
    ${spans.length > 0 && markup`<text class="checks-label" x="0" y="${top + checkHeight}">${checks.length === 1 ? 'check' : 'checks'}</text>`}
    ${spans.map((row, index) => row.map((span) => spanBar(span, top + index * checkHeight)))}
    ${groups}
  </svg></div>
  ${all.length > lanes.length && markup`<p class="muted">${all.length - lanes.length} more lanes are in the recording.</p>`}
</figure></details>`;
}

interface Span {
  check: CheckResult;
  from: number;
  to: number;
  x: number;
  wide: number;
}

/** The checks as bars in as few rows as possible. */
function spanRows(checks: readonly CheckResult[], timeline: PodTimeline, axis: TimeAxis): Span[][] {
  const spans = checks.map((check): Span => {
    const { from, to } = spanOf(check);
    const x = axis.x(from - timeline.startedAt);
    return { check, from, to, x, wide: round(Math.max(axis.x(to - timeline.startedAt) - x, 3)) };
  });
  // Bars have a minimum width, so rows need gaps of that width.
  const perPixel = (timeline.endedAt - timeline.startedAt) / (width - right - labels);
  return packed(spans, 4 * perPixel);
}

function spanBar({ check, from, to, x, wide }: Span, y: number): Markup {
  const title = `${shortId(check)} ${check.title}: ${check.status} after ${seconds(to - from)}`;
  return markup`<a href="#${anchor('check', check.id)}"><rect class="${spanClass('span', check)}" x="${x}" y="${y}" width="${wide}" height="${checkHeight - 3}" rx="2"><title>${title}</title></rect></a>`;
}

function spanClass(name: string, check: CheckResult): string {
  return isRed(check) ? `${name} red` : name;
}

function laneGroup(lane: Lane, y: number, axis: TimeAxis): Markup {
  const isPod = lane.container === undefined;
  const name = lane.container ?? lane.pod;
  const middle = y + laneHeight / 2;
  return markup`<g class="${isPod ? 'lane pod' : 'lane'}">
      <text x="${isPod ? 0 : 14}" y="${middle + 4}"><title>${isPod ? lane.pod : `${lane.pod} / ${name}`}</title>${truncateMiddle(name, isPod ? 31 : 30)}</text>
      <line class="track" x1="${labels}" x2="${width - right}" y1="${middle}" y2="${middle}"/>
      ${lane.bands.map((band) => bandRect(band, y, isPod, axis))}
      ${lane.markers.map((marker) => markerShape(marker, middle, axis))}
      ${lane.mentioned.map(({ at, text }) => markup`<circle class="mention" cx="${axis.x(at)}" cy="${middle}" r="7.5"><title>${`+${seconds(at)} ${text} (in the diagnosis)`}</title></circle>`)}
    </g>`;
}

function bandRect(band: Band, y: number, isPod: boolean, axis: TimeAxis): Markup {
  const x = axis.x(band.from);
  const inset = isPod ? 6 : 4;
  // A state that was shorter than a pixel stays visible.
  const wide = round(Math.max(axis.x(band.to) - x, 1.5));
  const title = `${words[band.state]}: +${seconds(band.from)} to +${seconds(band.to)} (${seconds(band.to - band.from)})\n${band.text}`;
  return markup`<rect class="${`band ${band.state}`}" x="${x}" y="${y + inset}" width="${wide}" height="${laneHeight - 2 * inset}" rx="2"><title>${title}</title></rect>`;
}

function markerShape(marker: Marker, middle: number, axis: TimeAxis): Markup {
  const x = axis.x(marker.at);
  const title = markup`<title>${`+${seconds(marker.at)} ${marker.text}`}</title>`;
  const shape = {
    oom: markup`<path d="${`M${x - 6} ${middle + 5}L${x} ${middle - 7}L${x + 6} ${middle + 5}Z`}"/>`,
    restart: markup`<circle cx="${x}" cy="${middle}" r="5"/>`,
    warning: markup`<path d="${`M${x} ${middle - 5}L${x + 5} ${middle}L${x} ${middle + 5}L${x - 5} ${middle}Z`}"/>`,
    event: markup`<circle cx="${x}" cy="${middle}" r="2"/>`,
  }[marker.shape];
  return markup`<g class="${`marker ${marker.shape}`}">${title}${shape}</g>`;
}

function legend(drawn: readonly Drawn[]): Markup {
  const lanes = drawn.flatMap((one) => one.lanes);
  const checks = drawn.flatMap((one) => one.checks);
  const used = new Set(lanes.flatMap((lane) => lane.bands.map((band) => band.state)));
  const states = (Object.keys(words) as BandState[]).filter((state) => used.has(state));
  const shapes = new Set(lanes.flatMap((lane) => lane.markers.map((marker) => marker.shape)));
  const markers: [Marker['shape'], string][] = [
    ['oom', 'killed: out of memory'],
    ['restart', 'restarted'],
    ['warning', 'warning event'],
    ['event', 'event'],
  ];
  const bars: [string, boolean, string][] = [
    ['span', checks.some((check) => !isRed(check)), 'check running'],
    ['span red', checks.some(isRed), 'failed check running'],
    ...states.map((state): [string, boolean, string] => [`band ${state}`, true, words[state]]),
  ];
  return markup`<ul class="legend">${bars
    .filter(([, used]) => used)
    .map(
      ([kind, , text]) =>
        markup`<li><svg width="18" height="12" aria-hidden="true"><rect class="${kind}" y="1" width="18" height="10" rx="2"/></svg>${text}</li>`,
    )}${markers
    .filter(([shape]) => shapes.has(shape))
    .map(
      ([shape, text]) =>
        markup`<li><svg width="14" height="14" aria-hidden="true">${keyShape(shape)}</svg>${text}</li>`,
    )}${
    lanes.some((lane) => lane.mentioned.length > 0) &&
    markup`<li><svg width="18" height="18" aria-hidden="true"><circle class="mention" cx="9" cy="9" r="7.5"/></svg>in the diagnosis</li>`
  }</ul>`;
}

function keyShape(shape: Marker['shape']): Markup {
  const fixed: TimeAxis = { x: () => 7, ticks: [] };
  return markerShape({ at: 0, shape, text: '' }, 7, fixed);
}
