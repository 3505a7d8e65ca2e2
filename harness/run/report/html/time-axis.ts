/** The time axis of timelines and phases. */
import type { Markup } from './markup.ts';
import { markup } from './markup.ts';

export interface TimeAxis {
  /** Milliseconds since the start to x. */
  x(ms: number): number;
  ticks: number[];
}

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

/** An axis from 0 to `durationMs` between the x coordinates; about eight ticks at round times. */
export function timeAxis(durationMs: number, fromX: number, toX: number): TimeAxis {
  const span = Math.max(durationMs, 1000);
  const step = (steps.find((candidate) => span / 1000 / candidate <= 9) ?? 14_400) * 1000;
  const ticks: number[] = [];
  for (let at = 0; at <= span; at += step) ticks.push(at);
  return {
    x: (ms) => round(fromX + (Math.min(Math.max(ms, 0), span) / span) * (toX - fromX)),
    ticks,
  };
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Vertical lines with their times on top. */
export function axisLines(axis: TimeAxis, top: number, bottom: number): Markup {
  return markup`<g class="axis">${axis.ticks.map((at) => {
    const x = axis.x(at);
    return markup`<line x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/><text x="${x}" y="${top - 6}" text-anchor="${at === 0 ? 'start' : 'middle'}">${tickLabel(at)}</text>`;
  })}</g>`;
}

function tickLabel(ms: number): string {
  const s = ms / 1000;
  if (s < 120) return `${s} s`;
  const rest = s % 60;
  return rest === 0 ? `${s / 60} min` : `${Math.floor(s / 60)}:${String(rest).padStart(2, '0')} min`;
}
