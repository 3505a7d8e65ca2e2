import { CheckFailure } from '../../harness/core/errors.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { find } from '../../harness/kube/manifests/objects.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { DEPLOYMENT } from './names.ts';

/** The registry's Deployment, for checks that need nothing installed. */
export async function renderedDeployment(lab: Lab): Promise<KubeObject> {
  const { objects } = await lab.render();
  const deployment = find(objects, 'Deployment', DEPLOYMENT);
  if (deployment) return deployment;
  throw new CheckFailure('E_NOT_RENDERED', `the manifests have no Deployment ${DEPLOYMENT}`, {
    hint: `They have: ${objects.map((o) => `${o.kind} ${o.metadata.name}`).join(', ')}`,
  });
}
