/**
 * Whether the cores have enough time for everything that wants to run. /proc/stat counts for the whole machine, so it also shows what
 * other containers and users do (proc_stat(5)).
 */
import type { Loss, LossSource, StallLog } from './stall-log.ts';

/** Waits ask often. */
const SAMPLE_MS = 200;
/** Long enough for a mean, short enough for the change between quiet and busy. */
const WINDOW_MS = 2000;
/** Up to this many running programs for each core are normal: limits of waits are made for a machine that is this busy. */
const NORMAL_LOAD = 2;
/** From this share on, the cores have no time left for anything else. */
const SATURATED = 0.95;

interface Counters {
  /** Ticks of all cores. */
  total: number;
  /** Ticks that a program of normal priority could have had: idle, waiting for a disk, used by `nice` programs. */
  free: number;
  cores: number;
  /** Programs that run or want to run now. */
  running: number;
}

/** `undefined` where the file is absent or different. */
export function parseCounters(stat: string): Counters | undefined {
  const ticks = /^cpu +(.+)$/m.exec(stat)?.[1]?.split(' ').map(Number);
  const cores = stat.match(/^cpu\d+ /gm)?.length ?? 0;
  const running = Number(/^procs_running (\d+)$/m.exec(stat)?.[1]);
  if (ticks === undefined || ticks.length < 8 || ticks.some(Number.isNaN) || cores === 0) return undefined;
  if (Number.isNaN(running)) return undefined;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = ticks;
  const free = nice + idle + iowait;
  return { total: user + system + irq + softirq + steal + free, free, cores, running };
}

/**
 * Counts the time that is lost to overload. With N programs for each core instead of the normal load L, everything takes N/L times as
 * long: of each second, 1 - L/N is lost. Pressure stall information (/proc/pressure) is of no use: it says that something waited for a
 * core, which is normal, and not how much longer everything takes.
 */
export class CpuLoad implements LossSource {
  readonly #log: Pick<StallLog, 'add'>;
  readonly #read: () => string | undefined;
  #first: { at: number; counters: Counters } | undefined;
  #running: number[] = [];
  #sampledAt = -Infinity;

  /** @param read the text of /proc/stat */
  constructor(log: Pick<StallLog, 'add'>, read: () => string | undefined) {
    this.#log = log;
    this.#read = read;
  }

  observe(now: number): readonly Loss[] {
    if (now - this.#sampledAt < SAMPLE_MS) return [];
    this.#sampledAt = now;
    const counters = parseCounters(this.#read() ?? '');
    if (!counters) return [];
    // Without this process, which always runs when it reads.
    this.#running.push(counters.running - 1);
    const first = (this.#first ??= { at: now, counters });
    if (now - first.at < WINDOW_MS) return [];
    const free = (counters.free - first.counters.free) / (counters.total - first.counters.total);
    const load = this.#running.reduce((sum, n) => sum + n, 0) / this.#running.length / counters.cores;
    if (free <= 1 - SATURATED && load > NORMAL_LOAD) {
      const span = { from: first.at, to: now };
      const lostMs = (now - first.at) * (1 - NORMAL_LOAD / load);
      this.#log.add({ place: 'cores', ...span, lostMs, stalled: false });
    }
    this.#first = { at: now, counters };
    this.#running = [];
    return [];
  }
}
