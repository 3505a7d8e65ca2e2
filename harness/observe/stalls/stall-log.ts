/** The stalls and other losses of time that were observed in a run, and questions about them. */
import type { LostTime } from '../../core/lost-time.ts';

/** A span in which something that the checks rely on stood still. Times in ms since the epoch. */
export interface Stall {
  /** Completes "the … stalled": `machine`, `API server`, `node kp-desk-worker`. `cores` are only slow. */
  place: string;
  from: number;
  to: number;
}

/** A span in which `lostMs` of work were lost. */
export interface Loss extends Stall {
  lostMs: number;
  /** Whether everything stood still; otherwise it was slow. */
  stalled: boolean;
}

/** Observes one place. */
export interface LossSource {
  /** Examines the place now: what has ended is added to the log; what still goes on is returned. */
  observe(now: number): readonly Loss[];
}

/** Slow spans that follow each other are joined up to this length: precise enough for a wait, and few in a long run. */
const JOINED_MS = 30_000;
const FOLLOWS_MS = 1000;

export class StallLog implements LostTime {
  readonly #losses: Loss[] = [];
  readonly #sources: LossSource[] = [];
  readonly #now: () => number;

  /** @param now ms since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  observe(source: LossSource): void {
    this.#sources.push(source);
  }

  add(loss: Loss): void {
    const last = this.#losses.findLast((l) => l.place === loss.place);
    const isSlow = last && !last.stalled && !loss.stalled;
    if (isSlow && loss.from - last.to <= FOLLOWS_MS && loss.to - last.from <= JOINED_MS) {
      last.to = loss.to;
      last.lostMs += loss.lostMs;
    } else this.#losses.push({ ...loss });
  }

  /** Where several places lost time at once, the worst counts. */
  between(from: number, to: number): number {
    const losses = this.#overlapping(from, to);
    const borders = [...new Set(losses.flatMap((l) => [Math.max(l.from, from), Math.min(l.to, to)]))];
    borders.sort((a, b) => a - b);
    let lost = 0;
    borders.slice(1).forEach((end, index) => {
      const start = borders[index] ?? end;
      const shares = losses
        .filter((l) => l.from <= start && l.to >= end)
        .map((l) => Math.min(1, l.lostMs / (l.to - l.from)));
      lost += (end - start) * Math.max(0, ...shares);
    });
    return lost;
  }

  /** The stalls that overlap a span, in full length. */
  stalls(from = -Infinity, to = Infinity): Stall[] {
    return this.#overlapping(from, to)
      .filter(({ stalled }) => stalled)
      .map((loss) => ({ place: loss.place, from: loss.from, to: loss.to }));
  }

  /** Asks the sources first: after a stall, a wait may be scheduled before the timer of the heartbeat. */
  #overlapping(from: number, to: number): Loss[] {
    const now = this.#now();
    const current = this.#sources.flatMap((source) => source.observe(now));
    return [...this.#losses, ...current].filter((l) => l.from < to && l.to > from);
  }
}

/** Joins overlapping stalls of the same place: several observers report the same one. In order of time. */
export function joinStalls(stalls: readonly Stall[]): Stall[] {
  const joined: Stall[] = [];
  for (const stall of stalls.toSorted((a, b) => a.from - b.from)) {
    const known = joined.find((j) => j.place === stall.place && stall.from <= j.to);
    if (known) known.to = Math.max(known.to, stall.to);
    else joined.push({ ...stall });
  }
  return joined;
}

/** How long at least one of the stalls lasted within a span. */
export function stalledMs(stalls: readonly Stall[], from = -Infinity, to = Infinity): number {
  const anywhere = joinStalls(stalls.map((stall) => ({ ...stall, place: '' })));
  return anywhere.reduce((sum, s) => sum + Math.max(0, Math.min(s.to, to) - Math.max(s.from, from)), 0);
}
