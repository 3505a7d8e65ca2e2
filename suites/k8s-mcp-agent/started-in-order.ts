/** What the label of a node led to, by the cluster's own record: no clock of this machine decides. */
import type { Pod } from '../../harness/kube/api/types.ts';
import { nothingWrong, type PredicateResult } from '../../harness/observe/predicates/result.ts';
import type { Recording } from '../../harness/observe/recorder/recording.ts';

const STEPS = ['created', 'scheduled', 'started', 'ready'] as const;

/**
 * A pod was created after a moment of the recording, then scheduled, started and ready, in this order.
 *
 * @param after the number of the last change before the moment
 */
export function startedInOrder(recording: Recording, pod: Pod, after: number): PredicateResult {
  const { name, uid } = pod.metadata;
  const expected = `${name} is created after the label, then scheduled, started and ready`;
  const history = recording.podHistory(uid ?? name);
  const [first] = history;
  const steps = recording.moments().filter((moment) => moment.pod === name);
  const at = STEPS.map((kind) => steps.findIndex((step) => step.kind === kind));
  const missing = STEPS.filter((_, i) => at[i] === -1).map((kind) => `it was never recorded as ${kind}`);
  const early = first && first.seq <= after ? ['it was created before the label'] : [];
  const swapped = STEPS.flatMap((kind, i) =>
    i > 0 && (at[i] ?? 0) < (at[i - 1] ?? 0) && at[i] !== -1 ? [`${kind} before ${STEPS[i - 1] ?? ''}`] : [],
  );
  return nothingWrong(expected, [...early, ...missing, ...swapped]);
}
