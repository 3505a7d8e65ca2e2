import type { Release } from '../../harness/run/suite/release.ts';
import { DEPLOYMENT } from './names.ts';

/** `kubectl scale deployment tool-registry-api --replicas=COUNT`; the rollout is not waited for. */
export async function scale({ kube, namespace }: Release, count: number): Promise<void> {
  const ref = { name: DEPLOYMENT, namespace };
  await kube.patch('Deployment', ref, { spec: { replicas: count } }, { subresource: 'scale' });
}
