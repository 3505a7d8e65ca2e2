/** The timeline of a namespace's pods as inline SVG: one lane for each pod and container, seconds from left to right. */
import { seconds } from '../../../core/deadline.ts';
import type { PodTimeline, Report } from '../model.ts';
import { truncateMiddle } from '../text.ts';
import type { Band, BandState, Lane, Marker } from './lanes.ts';
import { lanesOf } from './lanes.ts';
import type { Markup } from './markup.ts';
import { markup } from './markup.ts';
import { axisLines, round, timeAxis } from './time-axis.ts';
import type { TimeAxis } from './time-axis.ts';

const width = 1040;
const labels = 232;
const laneHeight = 20;
const podGap = 7;
const top = 30;
const right = 16;
/** Beyond this a picture says less than the recording itself. */
const mostLanes = 120;

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

/** All timelines of a run, under one legend. */
export function timelinesSection(report: Report): Markup | undefined {
  const timelines = (report.timelines ?? []).filter((timeline) => timeline.moments.length > 0);
  if (timelines.length === 0) return undefined;
  const drawn = timelines.map((timeline) => ({ timeline, lanes: lanesOf(timeline) }));
  return markup`
<section id="timelines">
  <h2>Pods over time</h2>
  ${legend(drawn.flatMap(({ lanes }) => lanes))}
  ${drawn.map(({ timeline, lanes }) => timelineFigure(timeline, lanes))}
</section>`;
}

function timelineFigure(timeline: PodTimeline, all: readonly Lane[]): Markup {
  const lanes = all.slice(0, mostLanes);
  const durationMs = timeline.endedAt - timeline.startedAt;
  const axis = timeAxis(durationMs, labels, width - right);
  let y = top;
  const drawn = lanes.map((lane, index) => {
    if (index > 0 && lane.container === undefined) y += podGap;
    const at = y;
    y += laneHeight;
    return laneGroup(lane, at, axis);
  });
  const height = y + 8;
  return markup`
<figure class="timeline">
  <figcaption>${timeline.title} <span class="muted">${timeline.title !== timeline.namespace && markup`namespace <code>${timeline.namespace}</code>, `}${seconds(durationMs)}</span></figcaption>
  <div class="scroll"><svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${`Timeline of the pods in ${timeline.namespace}`}">
    ${axisLines(axis, top - 4, height - 4)}
    ${drawn}
  </svg></div>
  ${all.length > lanes.length && markup`<p class="muted">${all.length - lanes.length} more lanes are in the recording.</p>`}
</figure>`;
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
    </g>`;
}

function bandRect(band: Band, y: number, isPod: boolean, axis: TimeAxis): Markup {
  const x = axis.x(band.from);
  const inset = isPod ? 6 : 4;
  // A state that was shorter than a pixel happened all the same.
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

function legend(lanes: readonly Lane[]): Markup {
  const used = new Set(lanes.flatMap((lane) => lane.bands.map((band) => band.state)));
  const states = (Object.keys(words) as BandState[]).filter((state) => used.has(state));
  const shapes = new Set(lanes.flatMap((lane) => lane.markers.map((marker) => marker.shape)));
  const markers: [Marker['shape'], string][] = [
    ['oom', 'killed: out of memory'],
    ['restart', 'restarted'],
    ['warning', 'warning event'],
    ['event', 'event'],
  ];
  return markup`<ul class="legend">${states.map(
    (state) =>
      markup`<li><svg width="18" height="12" aria-hidden="true"><rect class="${`band ${state}`}" y="1" width="18" height="10" rx="2"/></svg>${words[state]}</li>`,
  )}${markers
    .filter(([shape]) => shapes.has(shape))
    .map(
      ([shape, text]) =>
        markup`<li><svg width="14" height="14" aria-hidden="true">${keyShape(shape)}</svg>${text}</li>`,
    )}</ul>`;
}

function keyShape(shape: Marker['shape']): Markup {
  const fixed: TimeAxis = { x: () => 7, ticks: [] };
  return markerShape({ at: 0, shape, text: '' }, 7, fixed);
}
