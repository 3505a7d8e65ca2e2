/** Matchers about what happened over the whole recording. */
import type { CgroupKills } from '../predicates/live/restarts.ts';
import { noRestartsNoOom, warningEvents } from '../predicates/live/restarts.ts';
import { initOrder } from '../predicates/live/order.ts';
import type { PredicateResult } from '../predicates/result.ts';
import type { MatcherContext, MatcherOutcome } from './settle.ts';
import { settle, workload } from './settle.ts';

interface StabilityMatchers<R = unknown> {
  /** No container restarted or was OOM-killed; `kills` adds what the cgroups counted. */
  toHaveNoRestarts(kills?: readonly CgroupKills[]): R;
  /** No warning event with one of these reasons in the namespace. */
  toHaveNoWarningEvents(reasons: readonly string[], options?: { except?: RegExp }): R;
  /** In every pod the init containers ended with 0, in order, before the others started. */
  toRunInitContainersFirst(): R;
}

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-explicit-any, @typescript-eslint/no-unused-vars -- must repeat the type parameters of vitest
  interface Matchers<T = any> extends StabilityMatchers<Promise<void>> {}
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
  toHaveNoWarningEvents(
    this: MatcherContext,
    received: unknown,
    reasons: readonly string[],
    options: { except?: RegExp } = {},
  ): MatcherOutcome {
    const handle = workload(received, 'toHaveNoWarningEvents');
    return settle(this, warningEvents(handle.recording, reasons, options));
  },
  async toRunInitContainersFirst(this: MatcherContext, received: unknown): Promise<MatcherOutcome> {
    const handle = workload(received, 'toRunInitContainersFirst');
    const verdicts = (await handle.pods()).map((pod) => initOrder(pod, handle.recording));
    return settle(this, all(verdicts));
  },
};

/** One verdict for several pods: it holds when each does. */
export function all(verdicts: readonly PredicateResult[]): PredicateResult {
  const bad = verdicts.filter((v) => !v.ok);
  return {
    ok: verdicts.length > 0 && bad.length === 0,
    expected: verdicts.map((v) => v.expected).join('; ') || 'at least one verdict',
    actual: bad.length === 0 ? `so it is in ${verdicts.length} pods` : bad.map((v) => v.actual).join('; '),
    observed: verdicts.flatMap((v) => v.observed ?? []),
    details: bad.flatMap((v) => v.details ?? []),
  };
}
