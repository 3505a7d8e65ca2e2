/** Evicts pods as `kubectl drain` does: again and again, until every PodDisruptionBudget allows it. */
import { waitFor } from '../../core/deadline.ts';
import { CheckFailure } from '../../core/errors.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { ApiError } from '../../kube/api/errors.ts';
import { matchesSelector } from '../../kube/api/selectors.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import { neverAllows } from '../predicates/live/disruption-budget.ts';
import type { WaitLimits } from './limits.ts';

const BUDGET = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' };

export interface EvictionWait extends WaitLimits {
  /** Why a refusal will not end, asked after each; `undefined` as long as it may. */
  unless?: () => Promise<string | undefined>;
}

/**
 * Evicts a pod, and waits until the API server accepts it. Default limit 180 000 ms.
 *
 * @throws WaitTimeout early when a budget never allows it, or `unless` says so
 * @throws CheckFailure `E_EVICTION` when the pod has several budgets, which the API refuses
 */
export function podEvicted(
  kube: KubeClient,
  pod: Pod,
  { unless, ...wait }: EvictionWait = {},
): Promise<void> {
  const { name, namespace, labels } = pod.metadata;
  return waitFor<undefined>({
    what: `the eviction of pod ${name}`,
    timeoutMs: 180_000,
    intervalMs: 1000,
    ...wait,
    look: async () => {
      const answer = await evict(kube, pod);
      if (answer.evicted) return { done: true, value: undefined };
      const budgets = await kube.list(BUDGET, { namespace, signal: wait.signal });
      const own = budgets.filter((budget) => selects(budget, labels));
      const never = own.map(neverAllows).find((why) => why !== undefined) ?? (await unless?.());
      return never === undefined
        ? { done: false, seen: answer.reason }
        : { done: false, seen: answer.reason, hopeless: never };
    },
  });
}

async function evict(
  kube: KubeClient,
  { metadata: { name, namespace } }: Pod,
): ReturnType<KubeClient['evict']> {
  try {
    return await kube.evict({ name, namespace });
  } catch (error) {
    // "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    if (error instanceof ApiError && error.message.includes('more than one PodDisruptionBudget'))
      throw new CheckFailure('E_EVICTION', error.message, { cause: error });
    throw error;
  }
}

function selects(
  { spec }: KubeObject & { spec?: unknown },
  labels: Record<string, string> | undefined,
): boolean {
  const selector = (spec as { selector?: Parameters<typeof matchesSelector>[0] } | undefined)?.selector;
  return matchesSelector(selector ?? {}, labels);
}
