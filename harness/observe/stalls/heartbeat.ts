/** The heartbeat of a process: a timer that comes late shows that the machine did not let the process run. */
import type { Loss, LossSource, StallLog } from './stall-log.ts';

export const BEAT_MS = 250;
/** An idle machine is late by up to 40 ms. */
const LATE_MS = 100;
/** Probes and clients tolerate less. */
const STALL_MS = 2000;

/** What the process reads at a beat, in ms. */
export interface Pulse {
  /** Since the epoch. It jumps when the machine was suspended. */
  wall: number;
  /** Never jumps, and may stand still while the machine is suspended. */
  monotonic: number;
  /** Used by all threads of the process so far. */
  cpu: number;
}

/** Observes the machine by its own beats. Call `observe` every BEAT_MS; a call in between is a beat, too. */
export class Heartbeat implements LossSource {
  readonly #log: Pick<StallLog, 'add'>;
  readonly #read: () => Pulse;
  #last: Pulse;

  constructor(log: Pick<StallLog, 'add'>, read: () => Pulse) {
    this.#log = log;
    this.#read = read;
    this.#last = read();
  }

  observe(): readonly Loss[] {
    const pulse = this.#read();
    const passed = Math.max(pulse.monotonic - this.#last.monotonic, pulse.wall - this.#last.wall);
    const used = pulse.cpu - this.#last.cpu;
    this.#last = pulse;
    const late = passed - BEAT_MS;
    // A process that computes for long delays its own timers.
    if (late >= LATE_MS && used < passed / 2) {
      const span = { from: pulse.wall - late, to: pulse.wall };
      this.#log.add({ place: 'machine', ...span, lostMs: late, stalled: late >= STALL_MS });
    }
    return [];
  }
}

export function readPulse(): Pulse {
  const { user, system } = process.cpuUsage();
  return { wall: Date.now(), monotonic: performance.now(), cpu: (user + system) / 1000 };
}
