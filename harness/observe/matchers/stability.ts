/** Matchers about the whole recorded life of the pods. */
import { initOrder } from '../predicates/live/init-containers.ts';
import type { CgroupKills } from '../predicates/live/restarts.ts';
import { noRestartsNoOom } from '../predicates/live/restarts.ts';
import type { PredicateResult } from '../predicates/result.ts';
import type { MatcherContext, MatcherOutcome } from './settle.ts';
import { settle, workload } from './settle.ts';

export interface StabilityMatchers<R = unknown> {
  /** No container restarted or was OOM-killed; `kills` adds the OOM counters of the cgroups. */
  toHaveNoRestarts(kills?: readonly CgroupKills[]): R;
  /** In every pod the init containers ended with 0, in order, before the main containers started. */
  toRunInitContainersFirst(): R;
}

export const stabilityMatchers = {
  async toHaveNoRestarts(
    this: MatcherContext,
    received: unknown,
    kills: readonly CgroupKills[] = [],
  ): Promise<MatcherOutcome> {
    const handle = workload(received, 'toHaveNoRestarts');
    return settle(this, noRestartsNoOom(handle.recording, await handle.pods(), kills));
  },
  async toRunInitContainersFirst(this: MatcherContext, received: unknown): Promise<MatcherOutcome> {
    const handle = workload(received, 'toRunInitContainersFirst');
    const results = (await handle.pods()).map((pod) => initOrder(pod, handle.recording));
    return settle(this, allPods(results));
  },
};

/** One result for all pods: ok when there is a pod and each result is ok. */
function allPods(results: readonly PredicateResult[]): PredicateResult {
  const failed = results.filter((r) => !r.ok);
  return {
    ok: results.length > 0 && failed.length === 0,
    expected: results.map((r) => r.expected).join('; ') || 'at least one pod',
    actual: failed.length === 0 ? `true for ${results.length} pods` : failed.map((r) => r.actual).join('; '),
    observed: results.flatMap((r) => r.observed ?? []),
    details: failed.flatMap((r) => r.details ?? []),
  };
}
