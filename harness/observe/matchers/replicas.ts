/** Matchers about the replicas of a workload. */
import { allContainersReady, replicas } from '../predicates/live/workload.ts';
import type { PredicateResult } from '../predicates/result.ts';
import { eventually } from '../waits/eventually.ts';
import type { MatcherContext, MatcherOutcome } from './settle.ts';
import { settle, workload } from './settle.ts';

export interface ReplicaMatchers<R = unknown> {
  /** Exactly this many replicas are available, all of the latest revision, each with its own pod. */
  toHaveAvailableReplicas(wanted: number): R;
  /** Every container of every pod is ready, sidecars included. */
  toHaveAllContainersReady(): R;
}

export const replicaMatchers = {
  async toHaveAvailableReplicas(
    this: MatcherContext,
    received: unknown,
    wanted: number,
  ): Promise<MatcherOutcome> {
    const handle = workload(received, 'toHaveAvailableReplicas');
    return settleEventually(this, async () => {
      // pods() throws when there are none, which is the wanted state for 0 replicas.
      const [object, pods] = await Promise.all([handle.read(), wanted === 0 ? [] : handle.pods()]);
      return replicas({ ...object, kind: handle.kind }, pods, wanted);
    });
  },
  async toHaveAllContainersReady(this: MatcherContext, received: unknown): Promise<MatcherOutcome> {
    const handle = workload(received, 'toHaveAllContainersReady');
    return settleEventually(this, async () => allContainersReady(await handle.pods()));
  },
};

/** Tolerates a replica that misses a probe and recovers; other assertions check that readiness never breaks. */
async function settleEventually(
  context: MatcherContext,
  look: () => Promise<PredicateResult>,
): Promise<MatcherOutcome> {
  return settle(context, context.isNot === true ? await look() : await eventually(look));
}
