/** Matchers about how many replicas there are and how they are. */
import { eventually } from '../waits/eventually.ts';
import { allContainersReady, replicas } from '../predicates/live/workload.ts';
import type { PredicateResult } from '../predicates/result.ts';
import type { MatcherContext, MatcherOutcome } from './settle.ts';
import { settle, workload } from './settle.ts';

interface ReplicaMatchers<R = unknown> {
  /** Exactly this many replicas are available, all of the latest revision, each with its own pod. */
  toHaveAvailableReplicas(wanted: number): R;
  /** Every container of every pod is ready, sidecars included. */
  toHaveAllContainersReady(): R;
}

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-explicit-any, @typescript-eslint/no-unused-vars -- must repeat the type parameters of vitest
  interface Matchers<T = any> extends ReplicaMatchers<Promise<void>> {}
}

export const replicaMatchers = {
  async toHaveAvailableReplicas(
    this: MatcherContext,
    received: unknown,
    wanted: number,
  ): Promise<MatcherOutcome> {
    const handle = workload(received, 'toHaveAvailableReplicas');
    return settleInTime(this, async () => {
      // None wanted: then there are no pods to ask for, and asking would be an error.
      const [object, pods] = await Promise.all([handle.read(), wanted === 0 ? [] : handle.pods()]);
      return replicas({ ...object, kind: handle.kind }, pods, wanted);
    });
  },
  async toHaveAllContainersReady(this: MatcherContext, received: unknown): Promise<MatcherOutcome> {
    const handle = workload(received, 'toHaveAllContainersReady');
    return settleInTime(this, async () => allContainersReady(await handle.pods()));
  },
};

/** A replica that has missed a probe or two is back soon; that none does so is for other assertions. */
async function settleInTime(
  context: MatcherContext,
  ask: () => Promise<PredicateResult>,
): Promise<MatcherOutcome> {
  return settle(context, context.isNot === true ? await ask() : await eventually(ask));
}
