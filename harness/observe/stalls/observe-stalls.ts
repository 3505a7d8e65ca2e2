/** Observes the machine and the cluster in the background of a process. */
import { readFileSync } from 'node:fs';
import type { Clock } from '../../core/deadline.ts';
import type { Log } from '../../core/log.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { ApiError } from '../../kube/api/errors.ts';
import { ASK_MS, ClusterPulse, LEASES } from './cluster-pulse.ts';
import { CpuLoad } from './cpu-load.ts';
import { BEAT_MS, Heartbeat, readPulse } from './heartbeat.ts';
import { StallLog } from './stall-log.ts';

export interface StallObserver {
  readonly log: StallLog;
  /** Ends the observation; the log stays. */
  stop(): Promise<void>;
}

export interface StallObserverDeps {
  clock: Clock;
  /** With it, API server and nodes are observed, too. */
  kube?: Pick<KubeClient, 'list'> | undefined;
  log: Log;
}

/** Starts to observe. Call `stop`, or the process does not end. */
export function observeStalls({ clock, kube, log }: StallObserverDeps): StallObserver {
  const stalls = new StallLog(() => clock.now());
  const stopped = new AbortController();
  const { signal } = stopped;
  const heartbeat = new Heartbeat(stalls, readPulse);
  const load = new CpuLoad(stalls, readCpuCounters);
  stalls.observe(heartbeat);
  stalls.observe(load);

  /** Calls `act` until the observation ends. */
  async function repeat(everyMs: number, act: () => Promise<void> | void): Promise<void> {
    while (!signal.aborted) {
      await act();
      // Rejects at the end.
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }

  const running = [
    repeat(BEAT_MS, () => {
      heartbeat.observe();
      load.observe(clock.now());
    }),
  ];
  if (kube) {
    const pulse = new ClusterPulse(stalls);
    stalls.observe(pulse);
    running.push(repeat(ASK_MS, () => ask(kube, pulse, { clock, signal })));
  }
  return {
    log: stalls,
    async stop() {
      stopped.abort();
      await Promise.all(running);
      for (const { place, from, to } of stalls.stalls()) {
        log.warn('stall', { place, from: new Date(from).toISOString(), ms: Math.round(to - from) });
      }
    },
  };
}

async function ask(
  kube: Pick<KubeClient, 'list'>,
  pulse: ClusterPulse,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  pulse.asked(clock.now());
  try {
    const { kind, namespace } = LEASES;
    const leases = await kube.list(kind, { namespace, signal });
    pulse.answered(clock.now(), leases);
  } catch (error) {
    // No permission is an answer, too. Without an answer, the next request counts from this one.
    if (error instanceof ApiError && error.status < 500) pulse.answered(clock.now());
  }
}

function readCpuCounters(): string | undefined {
  try {
    return readFileSync('/proc/stat', 'utf8');
  } catch {
    // Only Linux has it.
    return undefined;
  }
}
