/** Pods whose readiness says little yet. Pure. */
import type { Pod } from '../../../kube/api/types.ts';

/** A container that ends at once has ended after this time, and waits for its next start. */
export const TRUST_MS = 3000;

/**
 * Whether a container that no readiness probe judges has only just started: Kubernetes calls it ready as soon as it runs, also one that is
 * about to end.
 *
 * @param now milliseconds since the epoch
 */
export function isReadyOnTrust({ spec, status }: Pod, now: number): boolean {
  return spec.containers.some(({ name, readinessProbe }) => {
    const running = status?.containerStatuses?.find((one) => one.name === name)?.state?.running;
    return !readinessProbe && now - Date.parse(running?.startedAt ?? '') < TRUST_MS;
  });
}
