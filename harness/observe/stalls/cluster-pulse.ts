/** Whether the API server answers and the kubelets renew their leases: one cheap request tells both. */
import { z } from 'zod';
import type { KubeObject } from '../../kube/api/types.ts';
import type { Loss, LossSource, StallLog } from './stall-log.ts';

export const ASK_MS = 2000;
/** Clients of the API server wait longer. A busy one needs a second or two. */
const SLOW_ANSWER_MS = 5000;

export const LEASES = {
  kind: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
  namespace: 'kube-node-lease',
} as const;

const leaseSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ renewTime: z.string(), leaseDurationSeconds: z.number().default(40) }),
});

interface NodePulse {
  renewTime: string;
  /** When the renewal was seen here. The clock of the node may differ. */
  seenAt: number;
  /** Whether it was renewed since the observation started. A node that was down before is not a stall. */
  alive: boolean;
  /** A renewal is overdue. */
  overdue: Loss | undefined;
}

/**
 * Observes a cluster by the answers to a request for the leases of its nodes. A kubelet renews its lease after a quarter of its duration,
 * every 10 s (Kubernetes documentation, "Node heartbeats"; kubelet, `nodeLeaseRenewIntervalFraction`).
 */
export class ClusterPulse implements LossSource {
  readonly #log: Pick<StallLog, 'add' | 'between'>;
  readonly #nodes = new Map<string, NodePulse>();
  /** Time of the first request that has not been answered. */
  #askedAt: number | undefined;

  constructor(log: Pick<StallLog, 'add' | 'between'>) {
    this.#log = log;
  }

  /** Call it before each request. */
  asked(now: number): void {
    this.#askedAt ??= now;
  }

  /** @param leases absent when the API server refused the request: it is there, and nothing is known about the nodes */
  answered(now: number, leases?: readonly KubeObject[]): void {
    const silence = this.#silence(now);
    if (silence) this.#log.add(silence);
    if (!leases) return;
    const known = new Set<string>();
    for (const { data } of leases.map((lease) => leaseSchema.safeParse(lease))) {
      if (!data) continue;
      known.add(data.metadata.name);
      this.#renewed(data, now);
    }
    for (const name of this.#nodes.keys()) if (!known.has(name)) this.#nodes.delete(name);
  }

  observe(now: number): readonly Loss[] {
    const overdue = [...this.#nodes.values()].flatMap((node) => node.overdue ?? []);
    const askedAt = this.#askedAt ?? now;
    return now - askedAt < SLOW_ANSWER_MS ? overdue : [...overdue, loss('API server', askedAt, now)];
  }

  /** The time without an answer, unless this process itself could not run. Ends it, because the log asks its sources in a query. */
  #silence(now: number): Loss | undefined {
    const from = this.#askedAt;
    if (from === undefined) return undefined;
    this.#askedAt = undefined;
    if (now - from - this.#log.between(from, now) < SLOW_ANSWER_MS) return undefined;
    return loss('API server', from, now);
  }

  #renewed({ metadata: { name }, spec }: z.infer<typeof leaseSchema>, now: number): void {
    const { renewTime, leaseDurationSeconds } = spec;
    const node = this.#nodes.get(name);
    if (!node) {
      this.#nodes.set(name, { renewTime, seenAt: now, alive: false, overdue: undefined });
      return;
    }
    const everyMs = (leaseDurationSeconds * 1000) / 4;
    if (node.renewTime !== renewTime) {
      const gap = Date.parse(renewTime) - Date.parse(node.renewTime);
      const isStall = node.alive && gap > 2 * everyMs;
      // A node that was silent for longer was down, which Kubernetes reports as NotReady.
      if (isStall) this.#log.add(endingAt(name, now, Math.min(gap - everyMs, LONGEST_NODE_STALL_MS)));
      this.#nodes.set(name, { renewTime, seenAt: now, alive: true, overdue: undefined });
    } else if (node.alive && now - node.seenAt > 2 * everyMs) {
      const from = node.seenAt + everyMs;
      node.overdue = loss(`node ${name}`, from, Math.min(now, from + LONGEST_NODE_STALL_MS));
    }
  }
}

const LONGEST_NODE_STALL_MS = 60_000;

function endingAt(node: string, to: number, ms: number): Loss {
  return loss(`node ${node}`, to - ms, to);
}

function loss(place: string, from: number, to: number): Loss {
  return { place, from, to, lostMs: to - from, stalled: true };
}
