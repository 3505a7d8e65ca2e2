/** The Pod Security Standard that pods need, decided by the API server. */
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { messageOf } from '../../harness/core/errors.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';
import { podOf } from './dry-run.ts';

/** From strict to permissive; `privileged` admits everything. */
const LEVELS = ['restricted', 'baseline'] as const;

export interface AdmittedLevel {
  level: (typeof LEVELS)[number] | 'privileged';
  /** What keeps the workloads from the next stricter level, one line for each. */
  stricter: string[];
}

/**
 * The strictest level under which the pods of all workloads are admitted, by dry-runs.
 *
 * @param createNamespace with these labels
 */
export async function admittedLevel(
  kube: KubeClient,
  workloads: readonly ModelWorkload[],
  createNamespace: (labels: Record<string, string>) => Promise<string>,
): Promise<AdmittedLevel> {
  let stricter: string[] = [];
  for (const level of LEVELS) {
    const namespace = await createNamespace({ 'pod-security.kubernetes.io/enforce': level });
    const refusals: string[] = [];
    for (const workload of workloads) {
      const why = await refusal(kube, workload, namespace);
      if (why !== undefined) refusals.push(`${workload.title} needs more than ${level}: ${why}`);
    }
    if (refusals.length === 0) return { level, stricter };
    stricter = refusals;
  }
  return { level: 'privileged', stricter };
}

async function refusal(
  kube: KubeClient,
  workload: ModelWorkload,
  namespace: string,
): Promise<string | undefined> {
  try {
    await kube.create(podOf(workload, namespace), { dryRun: true });
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Any other refusal is about another requirement.
    const [, why] = /violates PodSecurity "[^"]*": (.+)$/s.exec(messageOf(error)) ?? [];
    return why;
  }
}
