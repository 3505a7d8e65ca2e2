/** The registry's Deployment and its Service: as rendered, scaled, with their conditions, endpoints and probes. */
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import type { Pod, Probe, Workload } from '../../harness/kube/api/types.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { endpointsAre } from '../../harness/observe/waits/endpoints.ts';
import type { WaitLimits } from '../../harness/observe/waits/limits.ts';
import { rolesOf, serviceOf } from './roles.ts';

/** `kubectl scale deployment tool-registry-api --replicas=COUNT`; does not wait for the rollout. */
export async function scale(release: Release, count: number): Promise<void> {
  const { kube, namespace } = release;
  const ref = { name: rolesOf(release).deployment.metadata.name, namespace };
  await kube.patch('Deployment', ref, { spec: { replicas: count } }, { subresource: 'scale' });
}

/** Waits until the registry's Service leads to exactly these pods. Default limit 60 000 ms. */
export function servedBy(release: Release, pods: readonly Pod[], wait: WaitLimits = {}): Promise<void> {
  const { kube, namespace } = release;
  return endpointsAre(kube, { name: serviceOf(release).metadata.name, namespace }, pods, wait);
}

export type Conditions = NonNullable<NonNullable<Workload['status']>['conditions']>;

/** The Deployment is available, and its newest ReplicaSet has progressed to the end (`kubectl describe`, "Conditions"). */
export function newestIsAvailable(name: string, conditions: Conditions = []): PredicateResult {
  const holds = (type: string, wanted?: string): boolean =>
    conditions.some(
      (c) => c.type === type && c.status === 'True' && (wanted === undefined || c.reason === wanted),
    );
  return {
    ok: holds('Available') && holds('Progressing', 'NewReplicaSetAvailable'),
    expected: `conditions of Deployment ${name}: Available True, Progressing True (NewReplicaSetAvailable)`,
    actual:
      conditions.map((c) => `${c.type} ${c.status} (${c.reason ?? 'no reason'})`).join(', ') ||
      'no condition',
  };
}

/** A probe of the container that serves, with the defaults that the API server has filled in. */
export function probeOf(release: Release, pod: Pod, kind: 'livenessProbe' | 'readinessProbe'): Probe {
  const { name } = rolesOf(release).server;
  const probe = pod.spec.containers.find((c) => c.name === name)?.[kind];
  if (probe) return probe;
  throw new CheckFailure('E_SELECTED_NOTHING', `container ${name} of ${pod.metadata.name} has no ${kind}`);
}

/** How long a probe fails before it has an effect. */
export function failureTimeMs({ periodSeconds = 10, timeoutSeconds = 1, ...probe }: Probe): number {
  return (periodSeconds * failureThresholdOf(probe) + timeoutSeconds) * 1000;
}

/** How many failures in a row have an effect; a single one may come from a machine that stalled. */
export function failureThresholdOf({ failureThreshold = 3 }: Probe): number {
  return failureThreshold;
}

/** One sample a second, for longer than the probe may fail without an effect. */
export function longerThan(probe: Probe): { count: number; intervalMs: number } {
  return { count: Math.ceil(failureTimeMs(probe) / 1000) + 5, intervalMs: 1000 };
}

/** How many periods pass at most until a probe that always fails, or times out, has an effect; two of them for the kubelet to act. */
export function periodsToFail({ periodSeconds = 10, timeoutSeconds = 1, ...probe }: Probe): number {
  const each = Math.max(periodSeconds, timeoutSeconds);
  return Math.ceil((failureThresholdOf(probe) * each) / periodSeconds) + 3;
}
