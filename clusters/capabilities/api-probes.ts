/** Capabilities of the API server. */
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { InfrastructureError, messageOf } from '../../harness/core/errors.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { ProbeContext, ProbeResult } from './probe.ts';

const METRICS_API = 'metrics.k8s.io/v1beta1';

/** metrics.k8s.io has metrics of nodes. A newly started metrics-server needs about 40 s for the first ones. */
export async function probeMetrics({ kube, clock, signal }: ProbeContext): Promise<ProbeResult> {
  const service = await kube.get(
    { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' },
    { name: 'v1beta1.metrics.k8s.io' },
  );
  if (service === undefined) return { present: false, evidence: 'the API server serves no metrics.k8s.io' };
  try {
    const count = await waitFor({
      what: `${METRICS_API} to answer`,
      timeoutMs: 90_000,
      intervalMs: 1000,
      clock,
      signal,
      look: async () => {
        try {
          const metrics = await kube.list({ apiVersion: METRICS_API, kind: 'NodeMetrics' });
          if (metrics.length > 0) return { done: true, value: metrics.length };
          return { done: false, seen: 'no node has metrics yet' };
        } catch (error) {
          if (!(error instanceof InfrastructureError)) throw error;
          return { done: false, seen: messageOf(error) };
        }
      },
    });
    return { present: true, evidence: `${METRICS_API} has metrics of ${count} nodes` };
  } catch (error) {
    if (error instanceof WaitTimeout) return { present: false, evidence: error.message };
    throw error;
  }
}

/** A namespace that enforces `restricted` rejects a privileged pod. */
export async function probePodSecurity({ kube, inNamespace }: ProbeContext): Promise<ProbeResult> {
  const pod = (namespace: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'privileged', namespace },
    spec: { containers: [{ name: 'c', image: 'none', securityContext: { privileged: true } }] },
  });
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return inNamespace(async (namespace) => {
    try {
      await kube.create(pod(namespace), { dryRun: true });
      return {
        present: false,
        evidence: 'a privileged pod was admitted to a namespace that enforces restricted',
      };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      return { present: true, evidence: `a privileged pod was rejected: ${messageOf(error).slice(0, 160)}` };
    }
  }, labels);
}
