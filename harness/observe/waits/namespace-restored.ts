/** What is left in a namespace after something was removed from it. */
import { waitFor } from '../../core/deadline.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { inventory } from '../../kube/api/inventory.ts';
import type { WaitLimits } from './limits.ts';

export interface RestoredOptions extends WaitLimits {
  /** Which entries (`Kind name`) may stay; asked at every look. Default: none. */
  mayStay?: (entry: string) => boolean | Promise<boolean>;
}

/**
 * Waits until a namespace has nothing that it did not have before, except what may stay; returns what has stayed.
 * Default limit 90 000 ms: the last pods may use all of their grace period.
 *
 * @param before its `inventory` of that time
 * @throws WaitTimeout with what is left
 */
export function namespaceRestored(
  kube: KubeClient,
  namespace: string,
  before: readonly string[],
  { mayStay = () => false, ...wait }: RestoredOptions = {},
): Promise<string[]> {
  return waitFor<string[]>({
    what: `namespace ${namespace} to be as it was before the install`,
    timeoutMs: 90_000,
    // A look lists every kind that the cluster has.
    intervalMs: 1000,
    ...wait,
    look: async () => {
      const added = (await inventory(kube, namespace)).filter((entry) => !before.includes(entry));
      const allowed = await Promise.all(added.map(async (entry) => mayStay(entry)));
      const left = added.filter((_, index) => allowed[index] !== true);
      return left.length === 0
        ? { done: true, value: added }
        : { done: false, seen: `left: ${left.join(', ')}` };
    },
  });
}
