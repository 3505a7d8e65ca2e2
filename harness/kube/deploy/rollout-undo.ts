/** `kubectl rollout undo` without kubectl: restores the pod template of the previous revision. */
import { CheckFailure } from '../../core/errors.ts';
import { count } from '../../core/wording.ts';
import type { KubeClient, ObjectRef } from '../api/client.ts';
import type { Workload } from '../api/types.ts';
import { isOwnedBy, revisionOf } from '../api/workload-pods.ts';

/** Label that the controller adds to the template of each ReplicaSet; not part of the Deployment's template. */
const HASH = 'pod-template-hash';

/**
 * Rolls back by one revision, without waiting for the rollout.
 *
 * @returns the ReplicaSet of the previous revision
 * @throws CheckFailure E_NOT_FOUND when the Deployment does not exist, E_NO_REVISION when it has no previous revision
 */
export async function rolloutUndo(
  kube: Pick<KubeClient, 'get' | 'list' | 'patch'>,
  ref: Required<ObjectRef>,
): Promise<Workload> {
  const deployment = await kube.get('Deployment', ref);
  if (!deployment) throw new CheckFailure('E_NOT_FOUND', `Deployment ${ref.name} does not exist`);
  const replicaSets = await kube.list('ReplicaSet', { namespace: ref.namespace });
  const previous = previousRevision(deployment, replicaSets);
  await kube.patch('Deployment', ref, [
    { op: 'replace', path: '/spec/template', value: templateOf(previous) },
  ]);
  return previous;
}

function previousRevision(deployment: Workload, replicaSets: readonly Workload[]): Workload {
  const { name } = deployment.metadata;
  const own = replicaSets
    .filter((rs) => isOwnedBy(rs, deployment))
    .sort((a, b) => revisionOf(b) - revisionOf(a));
  const previous = own[1];
  if (previous) return previous;
  throw new CheckFailure(
    'E_NO_REVISION',
    `Deployment ${name} has no previous revision (${count(own.length, 'revision')} in total)`,
  );
}

function templateOf({ spec: { template } }: Workload): Workload['spec']['template'] {
  const labels = Object.fromEntries(
    Object.entries(template.metadata?.labels ?? {}).filter(([key]) => key !== HASH),
  );
  return { ...template, metadata: { ...template.metadata, labels } };
}
