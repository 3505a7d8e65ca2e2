/** `kubectl rollout undo` without kubectl: the template of the revision before becomes that of the Deployment again. */
import { CheckFailure } from '../../core/errors.ts';
import type { KubeClient, ObjectRef } from '../api/client.ts';
import type { Workload } from '../api/types.ts';

const REVISION = 'deployment.kubernetes.io/revision';
/** Added by the controller to the template of each ReplicaSet; not part of what was asked for. */
const HASH = 'pod-template-hash';

/**
 * Goes back by one revision. The rollout that this starts is not waited for.
 *
 * @returns the ReplicaSet whose template it is
 * @throws CheckFailure E_NOT_FOUND without the Deployment, E_NO_REVISION without a revision before the present one
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
  const { uid, name } = deployment.metadata;
  const own = replicaSets
    .filter((rs) => rs.metadata.ownerReferences?.some((o) => o.uid === uid))
    .sort((a, b) => revisionOf(b) - revisionOf(a));
  const previous = own[1];
  if (previous) return previous;
  throw new CheckFailure(
    'E_NO_REVISION',
    `Deployment ${name} has ${own.length} revision, none to go back to`,
  );
}

function revisionOf({ metadata }: Workload): number {
  return Number(metadata.annotations?.[REVISION] ?? 0);
}

function templateOf({ spec: { template } }: Workload): Workload['spec']['template'] {
  const labels = Object.fromEntries(
    Object.entries(template.metadata?.labels ?? {}).filter(([key]) => key !== HASH),
  );
  return { ...template, metadata: { ...template.metadata, labels } };
}
