/** Turns a pod's moments into bands of state: one lane for the pod and one for each of its containers; pure. */
import type { PodTimeline } from '../model.ts';

type Moment = PodTimeline['moments'][number];

export type BandState =
  | 'pending'
  | 'scheduled'
  | 'init'
  | 'starting'
  | 'ready'
  | 'unready'
  | 'waiting'
  | 'failed'
  | 'completed'
  | 'deleting';

export interface Band {
  state: BandState;
  /** Milliseconds since the timeline's start. */
  from: number;
  to: number;
  /** What began it, as recorded. */
  text: string;
}

export interface Marker {
  at: number;
  shape: 'restart' | 'oom' | 'warning' | 'event';
  text: string;
}

export interface Lane {
  pod: string;
  /** Absent for the pod itself. */
  container?: string;
  bands: Band[];
  markers: Marker[];
  /** Moments that a failed check mentions. */
  mentioned: { at: number; text: string }[];
}

/** Lanes in the order in which the pods appeared, each pod followed by its containers. */
export function lanesOf(
  timeline: PodTimeline,
  isMentioned: (moment: Moment) => boolean = () => false,
): Lane[] {
  const pods = new Map<string, Map<string, Moment[]>>();
  const moments = [...timeline.moments].sort((a, b) => a.at - b.at);
  for (const moment of moments) {
    const containers = pods.get(moment.pod) ?? new Map<string, Moment[]>([['', []]]);
    pods.set(moment.pod, containers);
    const container = moment.container ?? '';
    containers.set(container, [...(containers.get(container) ?? []), moment]);
  }
  return [...pods].flatMap(([pod, containers]) => {
    const ofPod = (kind: string) => containers.get('')?.find((moment) => moment.kind === kind)?.at;
    const life: PodLife = {
      origin: timeline.startedAt,
      isMentioned,
      endedAt: ofPod('deleted') ?? timeline.endedAt,
      leavingAt: ofPod('deleting') ?? Infinity,
    };
    return [...containers].map(([container, own]) => laneOf(pod, container, own, life));
  });
}

interface PodLife {
  /** The timeline's zero. */
  origin: number;
  isMentioned: (moment: Moment) => boolean;
  endedAt: number;
  /** When its deletion was requested: from then on it is expected to end. */
  leavingAt: number;
}

/** States that are shown even when one watch update contained both their beginning and their end. */
const momentary: ReadonlySet<BandState> = new Set(['init', 'failed']);

function laneOf(pod: string, container: string, moments: readonly Moment[], life: PodLife): Lane {
  const lane: Lane = {
    pod,
    ...(container === '' ? {} : { container }),
    bands: [],
    markers: [],
    mentioned: [],
  };
  let open: Band | undefined;
  const close = (at: number) => {
    if (open && (at > open.from || momentary.has(open.state))) lane.bands.push({ ...open, to: at });
    open = undefined;
  };
  for (const moment of moments) {
    const at = moment.at - life.origin;
    const marker = markerOf(moment);
    if (marker) lane.markers.push({ at, shape: marker, text: moment.text });
    if (life.isMentioned(moment)) lane.mentioned.push({ at, text: moment.text });
    const state = stateAfter(moment, moment.at >= life.leavingAt);
    if (state === 'same') continue;
    close(at);
    if (state !== 'none') open = { state, from: at, to: at, text: moment.text };
  }
  close(life.endedAt - life.origin);
  return lane;
}

function markerOf(moment: Moment): Marker['shape'] | undefined {
  if (moment.kind === 'oom-killed') return 'oom';
  if (moment.kind === 'restarted') return 'restart';
  if (moment.kind === 'event') return moment.warning ? 'warning' : 'event';
  return undefined;
}

function stateAfter(moment: Moment, leaving: boolean): BandState | 'same' | 'none' {
  switch (moment.kind) {
    case 'created':
      return 'pending';
    case 'scheduled':
      return 'scheduled';
    case 'init-started':
      return 'init';
    case 'started':
    case 'restarted':
      return 'starting';
    case 'ready':
      return 'ready';
    case 'unready':
      return leaving ? 'same' : 'unready';
    case 'waiting':
      return 'waiting';
    case 'init-finished':
      // It stays finished until the pod is deleted; a band would only distract.
      return moment.warning ? 'failed' : 'none';
    case 'terminated':
      return moment.warning && !leaving ? 'failed' : 'completed';
    case 'oom-killed':
      return 'failed';
    case 'deleting':
      return 'deleting';
    case 'deleted':
      return 'none';
    default:
      return 'same';
  }
}
