/** The probes of container api, and how long they go on before they have their effect. */
import { CheckFailure } from '../../harness/core/errors.ts';
import type { Pod, Probe } from '../../harness/kube/api/types.ts';

/** Of the container api, as the API server has completed it. */
export function probeOf(pod: Pod, kind: 'livenessProbe' | 'readinessProbe'): Probe {
  const probe = pod.spec.containers.find((c) => c.name === 'api')?.[kind];
  if (probe) return probe;
  throw new CheckFailure('E_SELECTED_NOTHING', `container api of ${pod.metadata.name} has no ${kind}`);
}

/** How long a probe may fail before it has its effect. */
export function patienceMs({ periodSeconds = 10, timeoutSeconds = 1, ...probe }: Probe): number {
  return (periodSeconds * toleranceOf(probe) + timeoutSeconds) * 1000;
}

/** How many failures one after the other have an effect: a single one may be that of a machine that stood still. */
export function toleranceOf({ failureThreshold = 3 }: Probe): number {
  return failureThreshold;
}

/** One look a second, for longer than the probe has patience. */
export function longerThan(probe: Probe): { count: number; intervalMs: number } {
  return { count: Math.ceil(patienceMs(probe) / 1000) + 5, intervalMs: 1000 };
}
